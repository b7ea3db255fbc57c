//! What a failure on one host does to the others, by policy.

use pointsman_shared::api::deployments::{Decision, DeploymentState};
use pointsman_shared::api::projects::{OnFailure, Strategy};

use super::agent::Mishap;
use super::database::with_database;
use super::wishes::refused;
use super::world::{World, strategy};

/// 1.0 is live everywhere, and 2.0 is built.
async fn ready(store: pointsman_store::Store, strategy: Strategy) -> World {
    let mut world = World::new(store, 3, strategy).await;
    world.built("1.0").await;
    world.live("1.0").await;
    world.built("2.0").await;
    world
}

#[tokio::test]
async fn a_failing_health_check_rolls_itself_back() {
    with_database(|store| async {
        let mut world = ready(store, strategy(&["1", "100%"], OnFailure::Rollback)).await;
        let deployment = world.deploy("2.0").await.unwrap();
        for host in ["web-1", "web-2", "web-3"] {
            world.run_host(host).await;
        }
        world.reconcile().await;
        world.mishaps.insert("web-1".to_owned(), Mishap::Unhealthy);
        world.run_host("web-1").await;
        assert_eq!(world.links().await, ["2.0", "1.0", "1.0"]);
        world.reconcile().await;
        assert_eq!(
            world.deployment(deployment.number).await.state,
            DeploymentState::RollingBack
        );
        world.run().await;
        let ended = world.deployment(deployment.number).await;
        assert_eq!(ended.state, DeploymentState::RolledBack);
        assert_eq!(
            ended.reason.as_deref(),
            Some("rolled back to 1.0: failed on web-1: no healthy answer within 2m")
        );
        assert_eq!(world.links().await, ["1.0", "1.0", "1.0"]);
        assert_eq!(world.desired().await.as_deref(), Some("1.0"));
        assert_eq!(world.placement("web-1").await.generation.0, 3);
        assert_eq!(
            world.placement("web-2").await.generation.0,
            1,
            "web-2 was never touched"
        );
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_fails_it_before_any_host_switches() {
    with_database(|store| async {
        let mut world = ready(store, strategy(&["100%"], OnFailure::Rollback)).await;
        world.mishaps.insert("web-2".to_owned(), Mishap::DiskFull);
        let deployment = world.deploy("2.0").await.unwrap();
        world.run().await;
        let ended = world.deployment(deployment.number).await;
        assert_eq!(ended.state, DeploymentState::Failed);
        assert_eq!(
            ended.reason.as_deref(),
            Some("failed on web-2: no space left on /srv/shop; no host had switched")
        );
        assert_eq!(
            ended.hosts[1].reason.as_deref(),
            Some("no space left on /srv/shop")
        );
        assert_eq!(world.links().await, ["1.0", "1.0", "1.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_missing_shared_file_holds_and_a_person_goes_on_without_the_host() {
    with_database(|store| async {
        let mut world = ready(store, strategy(&["100%"], OnFailure::Hold)).await;
        world
            .mishaps
            .insert("web-2".to_owned(), Mishap::SharedMissing(".env"));
        let number = world.deploy("2.0").await.unwrap().number;
        world.run().await;
        let paused = world.deployment(number).await;
        assert_eq!(paused.state, DeploymentState::Paused);
        assert_eq!(
            paused.reason.as_deref(),
            Some("failed on web-2: /srv/shop/shared/.env is missing on web-2")
        );
        assert_eq!(world.links().await, ["1.0", "1.0", "1.0"]);
        world.decide(number, Decision::Continue).await.unwrap();
        world.run().await;
        let live = world.deployment(number).await;
        assert_eq!(
            live.summary,
            "live on 2 of 3 hosts; failed on web-2: /srv/shop/shared/.env is missing on web-2"
        );
        assert_eq!(
            world.links().await,
            ["2.0", "1.0", "2.0"],
            "the failed host is not tried again by itself"
        );
        let drift = world.placement("web-2").await.drift.unwrap();
        assert!(
            drift.starts_with(&format!("2.0 failed here in deployment #{number}: ")),
            "{drift}"
        );
        assert_eq!(
            refused(world.decide(number, Decision::Continue).await).code,
            "deployment_over"
        );
    })
    .await;
}

#[tokio::test]
async fn a_hold_can_be_rolled_back_by_decision() {
    with_database(|store| async {
        let mut world = ready(store, strategy(&["1", "100%"], OnFailure::Hold)).await;
        let number = world.deploy("2.0").await.unwrap().number;
        for host in ["web-1", "web-2", "web-3"] {
            world.run_host(host).await;
        }
        world.mishaps.insert("web-1".to_owned(), Mishap::BeforeHook);
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::Paused);
        world.decide(number, Decision::Rollback).await.unwrap();
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::RolledBack);
        assert_eq!(world.links().await, ["1.0", "1.0", "1.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_newer_wish_ends_a_hold_as_failed_and_goes_live() {
    with_database(|store| async {
        let mut world = ready(store, strategy(&["1", "100%"], OnFailure::Hold)).await;
        world.built("3.0").await;
        let held = world.deploy("2.0").await.unwrap().number;
        for host in ["web-1", "web-2", "web-3"] {
            world.run_host(host).await;
        }
        world.mishaps.insert("web-1".to_owned(), Mishap::Unhealthy);
        world.run().await;
        let newer = world.deploy("3.0").await.unwrap();
        assert_eq!(newer.state, DeploymentState::Installing, "it starts at once");
        assert_eq!(world.deployment(held).await.state, DeploymentState::Failed);
        world.run().await;
        assert_eq!(world.links().await, ["3.0", "3.0", "3.0"]);
    })
    .await;
}

#[tokio::test]
async fn continue_goes_on_and_says_where_it_failed() {
    with_database(|store| async {
        let mut world = ready(store, strategy(&["1", "100%"], OnFailure::Continue)).await;
        let number = world.deploy("2.0").await.unwrap().number;
        for host in ["web-1", "web-2", "web-3"] {
            world.run_host(host).await;
        }
        world.mishaps.insert("web-1".to_owned(), Mishap::Unhealthy);
        world.run().await;
        let live = world.deployment(number).await;
        assert_eq!(
            live.summary,
            "live on 2 of 3 hosts; failed on web-1: no healthy answer within 2m"
        );
        assert_eq!(world.links().await, ["2.0", "2.0", "2.0"]);
    })
    .await;
}

#[tokio::test]
async fn the_first_release_that_fails_holds_for_there_is_nothing_to_go_back_to() {
    with_database(|store| async {
        let mut world = World::new(store, 1, strategy(&["100%"], OnFailure::Rollback)).await;
        world.built("1.0").await;
        let number = world.deploy("1.0").await.unwrap().number;
        world.run_host("web-1").await;
        world.mishaps.insert("web-1".to_owned(), Mishap::Unhealthy);
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::Paused);
        assert_eq!(
            refused(world.decide(number, Decision::Rollback).await).code,
            "no_previous_good"
        );
        world.cancel(number).await.unwrap();
        assert_eq!(world.deployment(number).await.state, DeploymentState::Cancelled);
        assert_eq!(world.desired().await, None);
    })
    .await;
}

#[tokio::test]
async fn a_host_lost_after_its_grant_counts_as_failed() {
    with_database(|store| async {
        let mut world = ready(store, strategy(&["1", "100%"], OnFailure::Hold)).await;
        let number = world.deploy("2.0").await.unwrap().number;
        for host in ["web-1", "web-2", "web-3"] {
            world.run_host(host).await;
        }
        world.reconcile().await;
        world.begin("web-1").await;
        // Its machine dies: the next instance tells that the old one is gone, and falls silent itself.
        world.start("web-1").await;
        world.vanish("web-1").await;
        world.reconcile().await;
        let paused = world.deployment(number).await;
        assert_eq!(paused.state, DeploymentState::Paused);
        assert_eq!(paused.hosts[0].state, "unknown");
        assert!(
            paused
                .reason
                .unwrap()
                .starts_with("failed on web-1: web-1 was lost after its switch was granted")
        );
    })
    .await;
}
