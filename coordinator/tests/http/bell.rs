//! The role that tells people, something for it to tell, and what became of it.

use std::time::Duration;

use pointsman_coordinator::notify::sign;
use pointsman_coordinator::roles::{self, Role};
use pointsman_store::events::{self, NewEvent};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::receiver::Request;
use crate::world::{Settings, World};

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Receivers on this machine may be reached.
pub const ON_LOOPBACK: &str = "hosts = [\"127.0.0.1\"]\nallow_http = true";

pub async fn world(lines: &str) -> World {
    let world = World::with(Settings {
        notify: Some(lines.to_owned()),
        ..Settings::default()
    })
    .await;
    world.set_up_shop().await;
    world
}

/// Tells people, until the guard is gone.
pub fn notify(world: &World) -> DropGuard {
    let stop = CancellationToken::new();
    let (app, token) = (world.app.clone(), stop.clone());
    tokio::spawn(async move { roles::serve(app, &[Role::Notify], token).await.unwrap() });
    stop.drop_guard()
}

/// Something happens to shop@production.
pub async fn happens(world: &World, kind: &str, message: &str) {
    let mut tx = world.app.store.begin().await.unwrap();
    let event = NewEvent {
        kind,
        project: Some("shop"),
        target: Some("shop@production"),
        message: message.to_owned(),
        ..NewEvent::default()
    };
    let now = pointsman_store::now(&mut tx).await.unwrap();
    events::append(&mut tx, now, &event).await.unwrap();
    tx.commit().await.unwrap();
}

/// Makes a webhook; returns its secret.
pub async fn webhook(world: &World, name: &str, url: &str) -> String {
    let wish = json!({ "name": name, "to": { "webhook": { "url": url } } });
    let made = world.admin().post("channels", &wish).await.expect(201);
    assert!(!made["channel"].to_string().contains("whsec_"), "{made}");
    made["secret"].as_str().unwrap().to_owned()
}

pub async fn rule(world: &World, wish: Value) {
    world.admin().post("rules", &wish).await.expect(201);
}

/// The newest delivery, once it is in this state.
pub async fn delivery(world: &World, state: &str) -> Value {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let found = world.admin().get("deliveries?limit=1").await.expect(200);
        let newest = &found["items"][0];
        if newest["state"] == state {
            let path = format!("deliveries/{}", newest["number"]);
            return world.admin().get(&path).await.expect(200);
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "it never was {state}: {newest}"
        );
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// The newest delivery, once so many of its tries failed.
pub async fn tried(world: &World, tries: u64) -> Value {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let found = world.admin().get("deliveries?limit=1").await.expect(200);
        let newest = &found["items"][0];
        if newest["tries"] == tries && !newest["last_error"].is_null() {
            let path = format!("deliveries/{}", newest["number"]);
            return world.admin().get(&path).await.expect(200);
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "it was never tried {tries} times: {newest}"
        );
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// What waits is tried at once.
pub async fn hurry(world: &World) {
    sqlx::query("UPDATE delivery SET next_at = now() WHERE state = 'waiting'")
        .execute(world.pool())
        .await
        .unwrap();
    world.app.bells.notify.notify_one();
}

pub fn is_signed(request: &Request, secrets: &[&str]) -> bool {
    let time = request.header("webhook-timestamp").parse().unwrap();
    let expected = sign(secrets, request.header("webhook-id"), time, &request.body);
    expected.as_deref() == Some(request.header("webhook-signature"))
}

/// Waits until whatever happened so far was asked for its takers.
pub async fn all_read(world: &World) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let left = "SELECT count(*) FROM event WHERE seq IS NULL OR seq > (SELECT seq FROM notification_cursor)";
    while world.count(left).await > 0 {
        assert!(tokio::time::Instant::now() < deadline, "nobody reads events");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
