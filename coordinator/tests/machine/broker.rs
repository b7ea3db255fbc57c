//! What happens to the broker behind the coordinator's back.

use pointsman_coordinator::broker::topology;
use pointsman_shared::api::jobs::JobState;

use crate::agent::TestAgent;
use crate::journey::{body, built};
use crate::world::{Times, World, management};

#[tokio::test]
async fn deleted_queues_are_made_again_and_the_job_finishes() {
    let world = World::start(Times::default()).await;
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    world.request_build().await;
    world
        .count_until("SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL", 1)
        .await;
    for queue in [
        "pool.default.jobs",
        "coordinator.reports",
        "host.builder-1.control",
    ] {
        management(
            reqwest::Method::DELETE,
            &format!("queues/{}/{queue}", world.vhost),
        )
        .await;
    }
    // The intake notices its lost consumer; every queue stands again before it consumes.
    let deadline = tokio::time::Instant::now() + crate::world::PATIENCE;
    while !topology::inspect(&world.app).await.unwrap().missing.is_empty() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the queues were never made again"
        );
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    builder.reconnect().await;
    let mut offers = builder.offers("pool.default.jobs").await;
    let (offer, grant) = builder.take(&mut offers).await;
    builder.end(&grant, built()).await;
    assert_eq!(world.job(body(&offer).number).await.state, JobState::Succeeded);
}

#[tokio::test]
async fn an_empty_broker_is_rebuilt_with_users_and_rights() {
    let mut world = World::start(Times::default()).await;
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    world.request_build().await;
    world
        .count_until("SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL", 1)
        .await;
    world.drain().await;
    // As if somebody had thrown the broker's disk away; the definitions file would bring back vhost and coordinator.
    management(reqwest::Method::DELETE, &format!("vhosts/{}", world.vhost)).await;
    management(reqwest::Method::PUT, &format!("vhosts/{}", world.vhost)).await;
    world.serve();
    builder.reconnect().await;
    let mut offers = builder.offers("pool.default.jobs").await;
    let (offer, grant) = builder.take(&mut offers).await;
    builder.end(&grant, built()).await;
    assert_eq!(world.job(body(&offer).number).await.state, JobState::Succeeded);
}

#[tokio::test]
async fn without_management_access_the_missing_queues_are_named() {
    let world = World::make(Times::default()).await;
    let found = topology::inspect(&world.app).await.unwrap();
    assert_eq!(found.unreachable, None);
    assert!(
        found.missing.contains(&"coordinator.reports".to_owned()),
        "{found:?}"
    );
    assert!(found.repairs_itself);
}
