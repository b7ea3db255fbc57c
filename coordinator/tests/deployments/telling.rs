//! What is told of deployments: from the real events of real ones.

use pointsman_coordinator::operations::collect_notifications::{self, Collected};
use pointsman_coordinator::operations::{add_channel, add_rule};
use pointsman_shared::api::notifications::Notice;
use pointsman_shared::api::projects::OnFailure;
use pointsman_store::events;
use serde_json::json;

use super::agent::Mishap;
use super::database::with_database;
use super::world::{World, strategy};

/// A channel that is told of deployments and builds.
async fn listen(world: &World) {
    let channel = json!({ "name": "ops", "to": { "webhook": { "url": "https://ops.example.org/hook" } } });
    let channel = serde_json::from_value(channel).unwrap();
    add_channel::execute(&world.app, &world.actor, channel)
        .await
        .unwrap();
    let rule = json!({ "channel": "ops", "project": "shop", "events": ["deploy.*", "build.*"] });
    let rule = serde_json::from_value(rule).unwrap();
    add_rule::execute(&world.app, &world.actor, &rule).await.unwrap();
}

/// Everything that was told, with what belongs together.
async fn told(world: &World) -> Vec<(Notice, Option<String>)> {
    let mut tx = world.app.store.begin().await.unwrap();
    while events::number(&mut tx).await.unwrap() > 0 {}
    tx.commit().await.unwrap();
    while collect_notifications::execute(&world.app).await.unwrap() == Collected::Page {}
    let rows: Vec<(serde_json::Value, Option<String>)> =
        sqlx::query_as("SELECT notice, thread FROM delivery ORDER BY number")
            .fetch_all(world.app.store.pool())
            .await
            .unwrap();
    rows.into_iter()
        .map(|(notice, thread)| (serde_json::from_value(notice).unwrap(), thread))
        .collect()
}

#[tokio::test]
async fn a_deployment_that_rolls_itself_back_is_told_until_the_next_one_is_live() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Rollback)).await;
        listen(&world).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        let deployment = world.deploy("2.0").await.unwrap();
        for host in ["web-1", "web-2"] {
            world.run_host(host).await;
        }
        world.reconcile().await;
        world.mishaps.insert("web-1".to_owned(), Mishap::Unhealthy);
        world.run().await;
        world.built("3.0").await;
        world.live("3.0").await;

        let told = told(&world).await;
        let turns: Vec<_> = told
            .iter()
            .map(|(notice, _)| format!("{} {:?}", notice.topic, notice.turn))
            .collect();
        assert_eq!(
            turns,
            [
                "build.finished News",
                "deploy.started News",
                "deploy.finished News",
                "build.finished News",
                "deploy.started News",
                "deploy.rolling_back Failure",
                "deploy.rolled_back Failure",
                "build.finished News",
                "deploy.started News",
                "deploy.finished Recovery",
            ]
        );
        let (back, thread) = &told[6];
        assert_eq!(
            thread.as_deref(),
            Some(format!("deployment {}", deployment.number).as_str())
        );
        let of = back.deployment.as_ref().unwrap();
        assert_eq!(
            (of.release.as_str(), of.from.as_deref(), of.by.as_str()),
            ("2.0", Some("1.0"), "ann")
        );
        assert!(of.started_at.is_some() && of.ended_at >= of.started_at);
        assert_eq!(
            (back.environment.as_deref(), back.message.as_str()),
            (
                Some("production"),
                format!(
                    "shop@production #{}: rolled back to 1.0: failed on web-1: no healthy answer within 2m",
                    deployment.number
                )
                .as_str()
            )
        );
    })
    .await;
}
