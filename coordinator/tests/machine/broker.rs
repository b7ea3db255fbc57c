//! What happens to the broker behind the coordinator's back.

use pointsman_coordinator::broker::topology;
use pointsman_coordinator::operations::{doctor, revoke_host};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::wire::topology::{COORDINATOR_LOGS, COORDINATOR_REPORTS};
use serde_json::json;

use crate::agent::TestAgent;
use crate::journey::{body, built};
use crate::world::{Times, World, management, management_json, management_with};

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

/// An earlier version declared some queues without a delivery limit. An upgrade leaves them as they are and says so.
#[tokio::test]
async fn queues_with_other_arguments_are_kept_and_named() {
    let mut world = World::make(Times::default()).await;
    let old = [COORDINATOR_REPORTS, "host.builder-1.control"];
    for queue in old {
        let path = format!("queues/{}/{queue}", world.vhost);
        let arguments = json!({ "x-queue-type": "quorum", "x-dead-letter-exchange": "dlx" });
        let body = json!({ "durable": true, "arguments": arguments });
        management_with(reqwest::Method::PUT, &path, &body).await;
    }
    world.serve();
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    world.request_build().await;
    let mut offers = builder.offers("pool.default.jobs").await;
    let (offer, grant) = builder.take(&mut offers).await;
    builder.end(&grant, built()).await;
    assert_eq!(world.job(body(&offer).number).await.state, JobState::Succeeded);
    assert_eq!(
        topology::outdated(&world.app).await.unwrap(),
        ["host.builder-1.control", COORDINATOR_REPORTS]
    );
    let findings = doctor::execute(&world.app, &world.actor).await.unwrap();
    let told = findings
        .iter()
        .any(|finding| finding.text.contains("other arguments"));
    assert!(told, "{findings:#?}");

    // A queue of this version counts to a number that is never reached.
    let declared = management_json(&format!("queues/{}/{COORDINATOR_LOGS}", world.vhost)).await;
    assert_eq!(declared["arguments"]["x-delivery-limit"], i32::MAX);
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

/// Somebody restores the broker's users from a backup, or the broker was away when the host was revoked.
#[tokio::test]
async fn the_user_of_a_revoked_host_does_not_come_back() {
    let world = World::make(Times::default()).await;
    let _builder = TestAgent::join(&world, "builder-1", &["default"], "builder").await;
    let user = format!("users/{}.builder-1", world.vhost);
    let known = management_json(&user).await;
    let host = "builder-1".parse().unwrap();
    revoke_host::execute(&world.app, &world.actor, &host)
        .await
        .unwrap();
    let body = json!({
        "password_hash": known["password_hash"], "hashing_algorithm": known["hashing_algorithm"], "tags": "",
    });
    management_with(reqwest::Method::PUT, &user, &body).await;
    topology::Topology::new(world.app.clone()).ensure().await.unwrap();
    let gone = management_json(&user).await;
    assert_eq!(gone["error"], "Object Not Found", "{gone}");
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
