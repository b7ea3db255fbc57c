//! What people say while a deployment goes over its hosts.

use pointsman_coordinator::operations::intervene::Said;
use pointsman_shared::api::deployments::{Decision, DeploymentState, HostsRequest, PauseRequest};
use pointsman_shared::api::projects::{OnFailure, Strategy};

use super::agent::Mishap;
use super::database::with_database;
use super::wishes::refused;
use super::world::{World, strategy};

fn hosts(names: &[&str]) -> HostsRequest {
    HostsRequest {
        hosts: names.iter().map(|name| name.parse().unwrap()).collect(),
        reason: None,
    }
}

/// 1.0 is live everywhere, 2.0 is built, and its switch failed on the first of three hosts.
async fn failed_on_web_1(store: pointsman_store::Store) -> (World, i64) {
    let mut world = World::new(store, 3, strategy(&["1", "100%"], OnFailure::Hold)).await;
    world.built("1.0").await;
    world.live("1.0").await;
    world.built("2.0").await;
    let number = world.deploy("2.0").await.unwrap().number;
    for host in ["web-1", "web-2", "web-3"] {
        world.run_host(host).await;
    }
    world.reconcile().await;
    world.mishaps.insert("web-1".to_owned(), Mishap::Unhealthy);
    world.run_host("web-1").await;
    world.reconcile().await;
    assert_eq!(world.deployment(number).await.state, DeploymentState::Paused);
    (world, number)
}

#[tokio::test]
async fn a_host_that_failed_is_tried_again_and_the_rest_follows() {
    with_database(|store| async {
        let (mut world, number) = failed_on_web_1(store).await;
        let refusal = refused(world.say(number, Said::Retry(hosts(&["web-2"]))).await);
        assert_eq!(refusal.code, "not_failed");
        world.say(number, Said::Retry(hosts(&[]))).await.unwrap();
        world.run().await;
        assert_eq!(world.deployment(number).await.summary, "live");
        assert_eq!(world.links().await, ["2.0", "2.0", "2.0"]);
        assert_eq!(
            world.placement("web-1").await.generation.0,
            3,
            "the retry is a decision of its own"
        );
    })
    .await;
}

#[tokio::test]
async fn a_host_that_is_left_out_stays_as_it_is_and_is_shown() {
    with_database(|store| async {
        let (mut world, number) = failed_on_web_1(store).await;
        world.say(number, Said::Skip(hosts(&["web-1"]))).await.unwrap();
        world.run().await;
        let ended = world.deployment(number).await;
        assert_eq!(ended.summary, "live on 2 of 3 hosts; left out: web-1");
        assert_eq!(ended.hosts[0].state, "skipped");
        assert_eq!(ended.hosts[0].reason.as_deref(), Some("left out by ann"));
        let drift = world.placement("web-1").await.drift.unwrap();
        assert!(
            drift.starts_with(&format!(
                "left out of deployment #{number} after 2.0 fell short here"
            )),
            "{drift}"
        );
        let generation = world.placement("web-1").await.generation;
        world.run().await;
        assert_eq!(
            world.placement("web-1").await.generation,
            generation,
            "it is not tried again by itself"
        );
        let refusal = refused(world.say(number, Said::Skip(hosts(&["web-2"]))).await);
        assert_eq!(refusal.code, "deployment_over");
    })
    .await;
}

#[tokio::test]
async fn a_host_left_out_before_it_was_touched_follows_afterwards() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Hold)).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        let number = world.deploy("2.0").await.unwrap().number;
        let refusal = refused(world.say(number, Said::Skip(hosts(&["web-9"]))).await);
        assert_eq!(refusal.code, "unknown_host");
        world.say(number, Said::Skip(hosts(&["web-2"]))).await.unwrap();
        world.run().await;
        assert_eq!(
            world.deployment(number).await.summary,
            "live on 1 of 2 hosts; left out: web-2"
        );
        assert_eq!(
            world.links().await,
            ["2.0", "2.0"],
            "it converged once the deployment was over"
        );
    })
    .await;
}

#[tokio::test]
async fn it_waits_for_a_person_between_waves() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Hold)).await;
        world.built("1.0").await;
        let number = world.deploy("1.0").await.unwrap().number;
        let reason = Some("the cache is cold".to_owned());
        world
            .say(number, Said::Pause(PauseRequest { reason }))
            .await
            .unwrap();
        world.run().await;
        let paused = world.deployment(number).await;
        assert_eq!(paused.state, DeploymentState::Paused);
        assert_eq!(
            paused.reason.as_deref(),
            Some("ann paused it before wave 1: the cache is cold")
        );
        assert_eq!(world.links().await, ["nothing", "nothing"]);
        let refusal = refused(world.say(number, Said::Pause(PauseRequest::default())).await);
        assert_eq!(refusal.code, "already_paused");
        world.decide(number, Decision::Continue).await.unwrap();
        world.run().await;
        assert_eq!(world.deployment(number).await.summary, "live");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_said_of_what_rolls_back_or_has_not_started() {
    with_database(|store| async {
        let (world, number) = failed_on_web_1(store).await;
        world.decide(number, Decision::Rollback).await.unwrap();
        let refusal = refused(world.say(number, Said::Retry(hosts(&["web-1"]))).await);
        assert_eq!(refusal.code, "rolling_back");
        let waiting = world.deploy("2.0").await.unwrap();
        let refusal = refused(
            world
                .say(waiting.number, Said::Pause(PauseRequest::default()))
                .await,
        );
        assert_eq!(refusal.code, "not_started");
    })
    .await;
}

#[tokio::test]
async fn one_host_at_a_time_is_between_switch_and_healthy() {
    with_database(|store| async {
        let strategy = Strategy {
            max_unavailable: 1,
            ..strategy(&["100%"], OnFailure::Hold)
        };
        let mut world = World::new(store, 3, strategy).await;
        world.built("1.0").await;
        let number = world.deploy("1.0").await.unwrap().number;
        for host in ["web-1", "web-2", "web-3"] {
            world.run_host(host).await;
        }
        world.reconcile().await;
        let mut switched = 0;
        while !world.deployment(number).await.state.is_final() {
            let mut offered = Vec::new();
            for host in ["web-1", "web-2", "web-3"] {
                let jobs = world.offered(host).await;
                offered.extend(jobs.first().map(|_| host));
            }
            assert_eq!(offered.len(), 1, "one switch is open at a time");
            world.run_host(offered[0]).await;
            world.reconcile().await;
            switched += 1;
        }
        assert_eq!(switched, 3);
        assert_eq!(world.deployment(number).await.summary, "live");
    })
    .await;
}

#[tokio::test]
async fn a_pause_is_withdrawn_and_ends_for_no_rollback_elsewhere() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Hold)).await;
        for version in ["1.0", "2.0", "3.0"] {
            world.built(version).await;
        }
        world.live("1.0").await;
        world.live("2.0").await;
        let number = world.deploy("3.0").await.unwrap().number;
        world
            .say(number, Said::Pause(PauseRequest::default()))
            .await
            .unwrap();
        world.decide(number, Decision::Continue).await.unwrap();
        assert_eq!(
            world.deployment(number).await.reason,
            None,
            "the wish was withdrawn"
        );
        world
            .say(number, Said::Pause(PauseRequest::default()))
            .await
            .unwrap();
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::Paused);
        let refusal = refused(world.roll_back(Some("1.0")).await);
        assert_eq!(refusal.code, "deployment_open");
    })
    .await;
}
