//! A forge with a webhook, and what a world tells of its pushes.

use axum::http::{HeaderMap, HeaderValue};
use pointsman_coordinator::error::OperationResult;
use pointsman_coordinator::operations::{answer_pushes, keep_webhook, take_push};
use pointsman_shared::api::projects::OnFailure;
use pointsman_shared::api::pushes::{Forge, NewWebhook, Push, Taken};
use pointsman_store::{pushes, targets, views};

use super::world::{World, strategy};

pub const TARGET: &str = "shop@production";

/// The forge, with the secret it was given.
pub struct Gitlab {
    secret: String,
}

/// 3.0 is live, the target follows these, and the forge has a webhook.
pub async fn ready(store: pointsman_store::Store, on_push: &[&str]) -> (World, Gitlab) {
    let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Rollback)).await;
    world.built("3.0").await;
    world.live("3.0").await;
    let mut conn = world.app.store.read().await.unwrap();
    let mut target = targets::find(&mut conn, &TARGET.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    target.on_push = on_push.iter().map(|pattern| pattern.parse().unwrap()).collect();
    targets::update(&mut conn, &target, world.app.clock.now())
        .await
        .unwrap();
    drop(conn);
    let wish = NewWebhook {
        project: "shop".parse().unwrap(),
        forge: Forge::Gitlab,
        name: None,
    };
    let issued = keep_webhook::add(&world.app, &world.actor, &wish).await.unwrap();
    assert_eq!(issued.webhook.url, "http://127.0.0.1/api/v1/webhooks/shop/gitlab");
    let secret = issued.secret;
    (world, Gitlab { secret })
}

impl Gitlab {
    /// Calls the webhook.
    pub async fn tells(&self, world: &World, delivery: &str, reference: &str) -> OperationResult<Taken> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-gitlab-token", self.secret.as_str()),
            ("x-gitlab-event", "Push Hook"),
            ("idempotency-key", delivery),
        ] {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let body = serde_json::json!({ "ref": reference, "after": "ab".repeat(20), "user_username": "bea" });
        let body = body.to_string();
        let (project, name) = ("shop".parse().unwrap(), "gitlab".parse().unwrap());
        take_push::execute(&world.app, &project, &name, &headers, body.as_bytes()).await
    }

    /// Calls the webhook, and lets the coordinator answer.
    pub async fn pushes(&self, world: &World, delivery: &str, reference: &str) -> Push {
        let taken = self.tells(world, delivery, reference).await.unwrap();
        world.answer_pushes().await;
        world.push(taken.push.unwrap()).await
    }
}

impl World {
    /// What the coordinator does when it is told of a push.
    pub async fn answer_pushes(&self) {
        while let Some(push) = answer_pushes::claim(&self.app).await.unwrap() {
            answer_pushes::execute(&self.app, &push).await.unwrap();
        }
    }

    pub async fn push(&self, number: i64) -> Push {
        let mut conn = self.app.store.read().await.unwrap();
        pushes::one(&mut conn, number).await.unwrap().unwrap()
    }

    /// As if the pause between two tries were over.
    pub async fn is_tried_again(&self) {
        let mut conn = self.app.store.read().await.unwrap();
        sqlx::query("UPDATE push SET next_try_at = now() WHERE next_try_at IS NOT NULL")
            .execute(&mut *conn)
            .await
            .unwrap();
        self.answer_pushes().await;
    }

    pub async fn pauses(&self) -> Vec<String> {
        let mut conn = self.app.store.read().await.unwrap();
        let rhythm = self.app.config.timing.rhythm();
        let target = views::targets::one(&mut conn, &TARGET.parse().unwrap(), &rhythm)
            .await
            .unwrap();
        target
            .unwrap()
            .push_pauses
            .into_iter()
            .map(|pause| pause.reason)
            .collect()
    }
}
