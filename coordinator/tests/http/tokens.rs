//! Tokens: shown once, checked every time, void when they should be.

use chrono::TimeDelta;
use serde_json::json;

use crate::people::Person;
use crate::world::World;

#[tokio::test]
async fn a_token_is_shown_once_and_says_who_it_is() {
    let world = World::new().await;
    let issued = world
        .admin()
        .post("tokens", &json!({ "name": "ci", "role": "deployer", "days": 7 }))
        .await
        .expect(201);
    let token = issued["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("pmn_"), "{token}");
    let me = Person::new(&world.url, Some(&token))
        .get("whoami")
        .await
        .expect(200);
    assert_eq!(
        (&me["name"], &me["role"], &me["installation"]),
        (&json!("ci"), &json!("deployer"), &json!("test"))
    );
    let list = world.admin().get("tokens").await.expect(200);
    assert!(!list.to_string().contains(token.rsplit('_').next().unwrap()));
    let used = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["name"] == "ci")
        .unwrap();
    assert!(used["last_used_at"].is_string());
    let secret = token.rsplit('_').next().unwrap();
    let stored: Vec<u8> = sqlx::query_scalar("SELECT secret_hash FROM token WHERE id = $1")
        .bind(issued["info"]["id"].as_str())
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(
        stored,
        pointsman_shared::digest::Digest::of(secret.as_bytes()).as_bytes()
    );
}

#[tokio::test]
async fn wrong_expired_and_revoked_tokens_are_nobody() {
    let world = World::new().await;
    let admin = world.admin();
    let issued = admin
        .post("tokens", &json!({ "name": "ci", "role": "viewer", "days": 1 }))
        .await
        .expect(201);
    let token = issued["token"].as_str().unwrap();
    let id = issued["info"]["id"].as_str().unwrap();
    let guessed = format!("pmn_{id}_{}", "0".repeat(64));
    for wrong in [&guessed, "pmn_nobody_00", "Bearer", ""] {
        let answer = Person::new(&world.url, Some(wrong)).get("whoami").await;
        assert_eq!(answer.refused(401), "unauthenticated", "{wrong}");
    }
    let holder = Person::new(&world.url, Some(token));
    holder.get("whoami").await.expect(200);
    admin.delete(&format!("tokens/{id}")).await.expect(204);
    admin.delete(&format!("tokens/{id}")).await.expect(204);
    assert_eq!(holder.get("whoami").await.refused(401), "unauthenticated");
    let again = admin
        .post("tokens", &json!({ "name": "ci", "role": "viewer", "days": 1 }))
        .await
        .expect(201);
    let holder = Person::new(&world.url, again["token"].as_str());
    holder.get("whoami").await.expect(200);
    world.clock.put_forward(TimeDelta::days(2));
    assert_eq!(holder.get("whoami").await.refused(401), "unauthenticated");
}

#[tokio::test]
async fn names_are_taken_once_and_nobody_locks_everybody_out() {
    let world = World::new().await;
    let admin = world.admin();
    let wish = json!({ "name": "ci", "role": "viewer" });
    admin.post("tokens", &wish).await.expect(201);
    assert_eq!(admin.post("tokens", &wish).await.refused(409), "token_exists");
    let long = json!({ "name": "ci2", "role": "viewer", "days": 400 });
    assert_eq!(admin.post("tokens", &long).await.refused(422), "invalid_days");
    let tokens = admin.get("tokens").await.expect(200);
    let first = tokens["items"][0]["id"].as_str().unwrap();
    assert_eq!(
        admin.delete(&format!("tokens/{first}")).await.refused(409),
        "last_admin"
    );
    assert_eq!(admin.delete("tokens/none").await.refused(404), "unknown_token");
    let refused = admin.get("audit").await.expect(200);
    let codes: Vec<_> = refused["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|act| act["result"] == "refused")
        .map(|act| act["detail"]["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        codes,
        ["unknown_token", "last_admin", "invalid_days", "token_exists"]
    );
}

#[tokio::test]
async fn what_can_change_something_is_renewed_within_ninety_days() {
    let world = World::new().await;
    let admin = world.admin();
    world.set_up_shop().await;
    let only_reads = json!({ "name": "prometheus", "role": "viewer", "days": 365 });
    admin.post("tokens", &only_reads).await.expect(201);
    let changes = json!({ "name": "ci", "role": "deployer", "days": 91 });
    assert_eq!(admin.post("tokens", &changes).await.refused(422), "invalid_days");
    let changes_one =
        json!({ "name": "ci", "role": "viewer", "projects": { "shop": "deployer" }, "days": 91 });
    assert_eq!(
        admin.post("tokens", &changes_one).await.refused(422),
        "invalid_days"
    );
    let renewed = json!({ "name": "ci", "role": "deployer", "days": 90 });
    admin.post("tokens", &renewed).await.expect(201);
}
