//! What machines and people are told of the coordinator's own state.

use reqwest::Method;
use serde_json::json;

use crate::agents::Agent;
use crate::people::read;
use crate::world::{Settings, World};

#[tokio::test]
async fn alive_is_not_ready_while_the_broker_holds_no_queue() {
    let world = World::new().await;
    let anyone = world.anonymous();
    assert_eq!(read(anyone.at(Method::GET, "healthz")).await.status, 200);
    let version = read(anyone.at(Method::GET, "version")).await.expect(200);
    assert_eq!(version["name"], "pointsman-coordinator");
    let ready = read(anyone.at(Method::GET, "readyz")).await.expect(503);
    let checks = ready["checks"].as_array().unwrap();
    let of = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(
        (&of("database")["ok"], &of("migrations")["ok"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(of("broker")["ok"], false);
    world.open_vhost().await;
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let ready = read(anyone.at(Method::GET, "readyz")).await.expect(503);
    let found = ready.to_string();
    assert!(
        found.contains("cannot be made without broker.admin_url: "),
        "{found}"
    );
    assert!(found.contains("coordinator.reports"), "{found}");
    assert!(!found.contains("admin:admin"), "{found}");
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let world = World::new().await;
    world.set_up_shop().await;
    Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    sqlx::query(
        "UPDATE host SET last_seen_at = now() - interval '1 hour', clock_offset_ms = -9000, free_bytes = 1000000",
    )
    .execute(world.pool())
    .await
    .unwrap();
    let viewer = world.person("viewer").await;
    let findings = viewer.get("doctor").await.expect(200);
    let text = findings.to_string();
    for words in [
        "migrations current",
        "web-1",
        "its clock is 9.0 s behind",
        "nearly full",
        "broker",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let web = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["text"].as_str().unwrap().starts_with("host web-1"))
        .unwrap();
    assert_eq!(web["severity"], "fail");
    assert!(web["cure"].is_string());
}

#[tokio::test]
async fn the_page_tells_strangers_how_to_sign_in() {
    let world = World::new().await;
    world.set_up_shop().await;
    let page = read(world.anonymous().at(Method::GET, "")).await;
    let html = page.body.as_str().unwrap();
    assert!(
        html.contains("pointsman login") && !html.contains("shop"),
        "{html}"
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"));
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert!(!html.contains("<script") && !html.contains("style="));
}

#[tokio::test]
async fn a_public_page_shows_what_is_live_and_no_secret() {
    let world = World::with(Settings {
        public_status: true,
        ..Settings::default()
    })
    .await;
    world.set_up_shop().await;
    Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let page = read(world.anonymous().at(Method::GET, "")).await;
    let html = page.body.as_str().unwrap();
    for words in ["shop", "production", "beta", "web-1", "seen", "0/"] {
        assert!(html.contains(words), "{words}: {html}");
    }
    assert!(!html.contains("pmn_") && !html.contains("amqp") && !html.contains("<script"));
}

#[tokio::test]
async fn tls_is_spoken_when_it_is_configured() {
    let world = World::with(Settings {
        tls: true,
        ..Settings::default()
    })
    .await;
    assert!(world.url.starts_with("https://"));
    world.admin().get("whoami").await.expect(200);
    let plain = world.url.replace("https://", "http://");
    assert!(reqwest::get(format!("{plain}healthz")).await.is_err());
}
