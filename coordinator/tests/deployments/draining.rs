//! Hosts that somebody paused: they get nothing new, finish what they do, and catch up afterwards.

use pointsman_coordinator::operations::pause_host;
use pointsman_domain::Refusal;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::fleet::NewHostPause;
use pointsman_shared::api::projects::OnFailure;
use pointsman_store::views;

use super::database::with_database;
use super::world::{World, strategy};

async fn ready(store: pointsman_store::Store, hosts: usize) -> World {
    let mut world = World::new(store, hosts, strategy(&["1", "100%"], OnFailure::Hold)).await;
    world.built("1.0").await;
    world.live("1.0").await;
    world.built("2.0").await;
    world
}

async fn pause(world: &World, host: &str) {
    let wish = NewHostPause {
        reason: "new disk".to_owned(),
    };
    pause_host::pause(&world.app, &world.actor, &host.parse().unwrap(), &wish)
        .await
        .unwrap();
}

async fn resume(world: &World, host: &str) {
    pause_host::resume(&world.app, &world.actor, &host.parse().unwrap())
        .await
        .unwrap();
}

async fn problems(world: &World, host: &str) -> Vec<String> {
    let mut conn = world.app.store.read().await.unwrap();
    let rhythm = world.app.config.timing.rhythm();
    let host = views::hosts::one(&mut conn, host, &rhythm).await.unwrap();
    host.unwrap().problems
}

#[tokio::test]
async fn a_paused_host_is_deferred_by_name_with_the_reason_and_converges_when_it_goes_on() {
    with_database(|store| async {
        let mut world = ready(store, 3).await;
        pause(&world, "web-3").await;
        let number = world.deploy("2.0").await.unwrap().number;
        world.run().await;
        let live = world.deployment(number).await;
        assert_eq!(live.state, DeploymentState::Live);
        let told = &live.summary;
        assert!(
            told.starts_with(
                "live on 2 of 3 hosts with 1 deferred: web-3 (host web-3 is absent: it is paused since"
            ) && told.contains("by ann: new disk"),
            "{told}"
        );
        assert_eq!(live.hosts[2].state, "deferred");
        assert_eq!(world.links().await, ["2.0", "2.0", "1.0"]);
        let told = problems(&world, "web-3").await;
        assert!(told[0].ends_with("by ann: new disk"), "{told:?}");
        resume(&world, "web-3").await;
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "2.0", "2.0"]);
        let told = problems(&world, "web-3").await;
        assert!(!told.iter().any(|problem| problem.contains("paused")), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_offered_to_a_host_that_is_paused_waits_at_once() {
    with_database(|store| async {
        let mut world = ready(store, 2).await;
        let number = world.deploy("2.0").await.unwrap().number;
        for host in ["web-1", "web-2", "web-1"] {
            world.run_host(host).await;
            world.reconcile().await;
        }
        assert_eq!(world.offered("web-2").await.len(), 1);
        pause(&world, "web-2").await;
        assert!(world.offered("web-2").await.is_empty());
        world.run().await;
        let live = world.deployment(number).await;
        assert_eq!(
            (live.state, live.hosts[1].state.as_str()),
            (DeploymentState::Live, "deferred")
        );
        assert_eq!(world.links().await, ["2.0", "1.0"]);
        resume(&world, "web-2").await;
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "2.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_paused_host_says_hello_without_being_given_work_or_called_back() {
    with_database(|store| async {
        let mut world = ready(store, 2).await;
        pause(&world, "web-2").await;
        world.deploy("2.0").await.unwrap();
        world.run().await;
        world.start("web-2").await;
        world.run().await;
        assert_eq!(
            world.links().await,
            ["2.0", "1.0"],
            "an agent that is restarted stays paused"
        );
    })
    .await;
}

#[tokio::test]
async fn only_a_paused_member_goes_on() {
    with_database(|store| async {
        let world = ready(store, 1).await;
        let refused = |host: &str| {
            let host = host.parse().unwrap();
            let world = &world;
            async move {
                let refused = pause_host::resume(&world.app, &world.actor, &host).await;
                match refused {
                    Err(pointsman_coordinator::error::OperationError::Refused(Refusal { code, .. })) => code,
                    other => panic!("{other:?}"),
                }
            }
        };
        assert_eq!(refused("web-1").await, "host_not_paused");
        assert_eq!(refused("web-8").await, "unknown_host");
    })
    .await;
}
