//! How soon a host answers: from the newest offer of a job of its own to the claim.

use pointsman_shared::api::projects::Strategy;
use pointsman_shared::wire::from_agent::DeclineReason;
use pointsman_store::{jobs, views};

use super::database::with_database;
use super::world::World;

/// What is known of a host's newest answer, in milliseconds.
async fn answer(world: &World, host: &str) -> Option<u32> {
    let mut conn = world.app.store.read().await.unwrap();
    let rhythm = world.app.config.timing.rhythm();
    let host = views::hosts::one(&mut conn, host, &rhythm)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(host.answer_ms.is_some(), host.answered_at.is_some());
    host.answer_ms
}

/// Has what is offered now lie for so long.
async fn lay(world: &World, seconds: f64) {
    sqlx::query("UPDATE job SET offered_at = offered_at - make_interval(secs => $1) WHERE state = 'offered'")
        .bind(seconds)
        .execute(world.app.store.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_grant_tells_how_soon_its_host_claimed_and_what_waited_for_something_else_tells_nothing() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        assert_eq!(
            answer(&world, "builder").await,
            None,
            "a pool's offer may wait for any builder"
        );
        world.deploy("1.0").await.unwrap();
        assert_eq!(answer(&world, "web-1").await, None);
        lay(&world, 12.0).await;
        let install = world.begin("web-1").await;
        let first = answer(&world, "web-1").await.unwrap();
        assert!(first >= 12_000, "{first} ms");

        world.finish("web-1", &install).await;
        lay(&world, 100.0).await;
        let switch = world.offer("web-1").await;
        let mut conn = world.app.store.read().await.unwrap();
        jobs::decline(
            &mut conn,
            switch.id,
            &"web-1".parse().unwrap(),
            &DeclineReason::Busy,
        )
        .await
        .unwrap();
        drop(conn);
        world.begin("web-1").await;
        assert_eq!(
            answer(&world, "web-1").await,
            Some(first),
            "it was busy, and not slow"
        );
    })
    .await;
}
