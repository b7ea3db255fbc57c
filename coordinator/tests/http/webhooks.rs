//! Webhooks over HTTP: who may make them, who is believed, and what a stranger is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{Answered, read};
use crate::world::World;

const PUSH: &str = r#"{"ref": "refs/heads/main", "by": "ann"}"#;

/// Makes a webhook; its secret.
async fn webhook(world: &World) -> String {
    world.set_up_shop().await;
    let wish = json!({ "project": "shop", "forge": "generic" });
    let issued = world.admin().post("webhooks", &wish).await.expect(201);
    let url = issued["webhook"]["url"].as_str().unwrap();
    assert!(url.ends_with("/api/v1/webhooks/shop/generic"), "{url}");
    issued["secret"].as_str().unwrap().to_owned()
}

/// A call, signed at this second.
async fn call(world: &World, secret: &str, id: &str, second: i64, body: &str) -> Answered {
    let second = second.to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{id}.{second}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let request = world.anonymous().api(Method::POST, "webhooks/shop/generic");
    let request = request
        .header("webhook-id", id)
        .header("webhook-timestamp", second)
        .header("webhook-signature", signature)
        .header("content-type", "application/json");
    read(request.body(body.to_owned())).await
}

fn now(world: &World) -> i64 {
    world.app.clock.now().timestamp()
}

async fn told(world: &World) -> Value {
    world.admin().get("pushes?project=shop").await.expect(200)["items"].clone()
}

#[tokio::test]
async fn whoever_knows_the_secret_is_believed_once() {
    let world = World::new().await;
    let secret = webhook(&world).await;
    let taken = call(&world, &secret, "a", now(&world), PUSH).await.expect(202);
    assert_eq!(taken["push"], 1);
    let again = call(&world, &secret, "a", now(&world), PUSH).await.expect(202);
    assert_eq!(
        (&again["push"], &again["message"]),
        (&json!(1), &json!("delivery a was told before"))
    );
    let told = told(&world).await;
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!(
        (&told[0]["ref"], &told[0]["by"]),
        (&json!("refs/heads/main"), &json!("ann"))
    );
    assert_eq!(told[0]["answered_at"], Value::Null);
}

#[tokio::test]
async fn strangers_learn_nothing_and_their_calls_are_seen() {
    let world = World::new().await;
    let secret = webhook(&world).await;
    let wrong = call(&world, "guessed", "a", now(&world), PUSH).await;
    assert_eq!(wrong.refused(403), "bad_signature");
    let old = call(&world, &secret, "a", now(&world) - 301, PUSH).await;
    assert_eq!(old.refused(403), "bad_signature");
    let none = read(
        world
            .anonymous()
            .api(Method::POST, "webhooks/shop/none")
            .body(PUSH),
    )
    .await;
    assert_eq!(none.refused(403), "bad_signature");
    // Whether there is such a webhook, and of which forge, cannot be told from the answer.
    assert_eq!(none.body["title"], wrong.body["title"]);
    assert_eq!(none.body["title"], old.body["title"]);
    let large = "x".repeat((1 << 20) + 1);
    assert_eq!(
        call(&world, &secret, "b", now(&world), &large).await.refused(413),
        "body_too_large"
    );
    let torn = call(&world, &secret, "c", now(&world), "{").await;
    assert_eq!(torn.refused(422), "unreadable_push");
    assert!(told(&world).await.as_array().unwrap().is_empty());
    let webhooks = world.admin().get("webhooks").await.expect(200);
    assert!(webhooks[0]["refused_at"].is_string(), "{webhooks}");
    let doctor = world.admin().get("doctor").await.expect(200).to_string();
    assert!(
        doctor.contains("pointsman webhook renew shop generic"),
        "{doctor}"
    );
    assert!(!webhooks.to_string().contains(&secret));
}

#[tokio::test]
async fn a_secret_is_renewed_and_a_webhook_removed() {
    let world = World::new().await;
    let secret = webhook(&world).await;
    let (admin, deployer) = (world.admin(), world.person("deployer").await);
    let again = json!({ "project": "shop", "forge": "generic" });
    assert_eq!(
        admin.post("webhooks", &again).await.refused(409),
        "webhook_exists"
    );
    assert_eq!(
        deployer.post("webhooks", &again).await.refused(403),
        "not_allowed"
    );
    let renewed = admin
        .post("webhooks/shop/generic/secret", &json!({}))
        .await
        .expect(201);
    let newer = renewed["secret"].as_str().unwrap();
    assert_eq!(
        call(&world, &secret, "a", now(&world), PUSH).await.refused(403),
        "bad_signature"
    );
    call(&world, newer, "a", now(&world), PUSH).await.expect(202);
    admin.delete("webhooks/shop/generic").await.expect(204);
    assert_eq!(
        call(&world, newer, "b", now(&world), PUSH).await.refused(403),
        "bad_signature"
    );
    assert_eq!(
        admin.delete("webhooks/shop/generic").await.refused(404),
        "unknown_webhook"
    );
    admin.post("webhooks", &again).await.expect(201);
    let acts = world
        .count("SELECT count(*) FROM audit WHERE action LIKE 'webhook.%' AND result = 'done'")
        .await;
    assert_eq!(acts, 4);
    let sealed = world
        .count("SELECT count(*) FROM webhook WHERE octet_length(secret_enc) > 64")
        .await;
    assert_eq!(sealed, 2);
}

#[tokio::test]
async fn pushes_are_paused_and_let_go_by_hand() {
    let world = World::new().await;
    webhook(&world).await;
    let deployer = world.person("deployer").await;
    let path = "targets/shop@production/push-pause";
    let wish = json!({ "reason": "the sale" });
    let target = deployer.put(path, &wish).await.expect(200);
    assert_eq!(target["push_pauses"][0]["reason"], "the sale");
    assert_eq!(deployer.put(path, &wish).await.refused(409), "pushes_paused");
    assert_eq!(
        deployer.put(path, &json!({ "reason": " " })).await.refused(422),
        "invalid_reason"
    );
    let target = deployer.delete(path).await.expect(200);
    assert_eq!(target["push_pauses"], json!([]));
    assert_eq!(deployer.delete(path).await.refused(409), "pushes_not_paused");
    assert_eq!(
        deployer.post("pushes/9/repeat", &json!({})).await.refused(404),
        "unknown_push"
    );
}
