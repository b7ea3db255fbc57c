//! Rollbacks by hand.

use pointsman_coordinator::operations::foresee_rollback;
use pointsman_coordinator::operations::intervene::Said;
use pointsman_shared::api::deployments::{Decision, DeploymentState, HostsRequest};
use pointsman_shared::api::projects::{OnFailure, Strategy};
use pointsman_shared::outcome::JobKind;
use pointsman_store::targets;

use super::agent::Mishap;
use super::database::with_database;
use super::wishes::refused;
use super::world::{World, strategy};

/// 1.0, 2.0 and 3.0 were live one after the other.
async fn three_good(store: pointsman_store::Store) -> World {
    let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Rollback)).await;
    for version in ["1.0", "2.0", "3.0"] {
        world.built(version).await;
        world.live(version).await;
    }
    world
}

#[tokio::test]
async fn where_a_way_back_leads_is_known_before_it_is_taken() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Rollback)).await;
        world.built("1.0").await;
        world.live("1.0").await;
        let target = "shop@production".parse().unwrap();
        let row = targets::find(&mut world.app.store.read().await.unwrap(), &target)
            .await
            .unwrap()
            .unwrap();
        let none = foresee_rollback::execute(&world.app, &row).await.unwrap();
        assert_eq!(none.to, None);
        assert_eq!(none.refusal.unwrap().code, "no_previous_good");
        world.built("2.0").await;
        world.live("2.0").await;
        let back = foresee_rollback::execute(&world.app, &row).await.unwrap();
        assert_eq!(back.to.unwrap().as_str(), "1.0");
        assert_eq!((back.ready, back.hosts), (2, 2));
        assert!(back.refusal.is_none());
        assert_eq!(world.links().await, ["2.0", "2.0"], "it only looked");
    })
    .await;
}

#[tokio::test]
async fn back_to_the_previous_good_one_and_further() {
    with_database(|store| async {
        let mut world = three_good(store).await;
        for (label, link) in [("2.0", "2.0"), ("1.0", "1.0")] {
            let rollback = world.roll_back(None).await.unwrap();
            assert_eq!(
                (rollback.kind.as_str(), rollback.release.as_str()),
                ("rollback", label)
            );
            assert_eq!(world.offer("web-1").await.kind, JobKind::Rollback);
            assert_eq!(
                world.offer("web-2").await.kind,
                JobKind::Rollback,
                "every host at once"
            );
            world.run().await;
            assert_eq!(world.deployment(rollback.number).await.summary, "live");
            assert_eq!(world.links().await, [link, link]);
            assert_eq!(world.desired().await.as_deref(), Some(label));
        }
        assert_eq!(refused(world.roll_back(None).await).code, "no_previous_good");
        world.live("3.0").await;
        let again = world.roll_back(None).await.unwrap();
        assert_eq!(again.release.as_str(), "1.0", "2.0 was left by a rollback");
    })
    .await;
}

#[tokio::test]
async fn back_to_a_named_release_or_a_reason_why_not() {
    with_database(|store| async {
        let mut world = three_good(store).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        world.built("4.0").await;
        let never = refused(world.roll_back(Some("4.0")).await);
        assert_eq!(
            never.what,
            "release 4.0 was never live and healthy in shop@production"
        );
        assert_eq!(
            refused(world.roll_back(Some("9.9")).await).code,
            "unknown_release"
        );
        let rollback = world.roll_back(Some("1.0")).await.unwrap();
        world.run().await;
        assert_eq!(
            world.deployment(rollback.number).await.state,
            DeploymentState::Live
        );
        assert_eq!(world.links().await, ["1.0", "1.0"]);
    })
    .await;
}

#[tokio::test]
async fn against_an_open_deployment_it_is_a_decision() {
    with_database(|store| async {
        let mut world = three_good(store).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        world.built("4.0").await;
        let number = world.deploy("4.0").await.unwrap().number;
        for host in ["web-1", "web-2", "web-1"] {
            world.run_host(host).await;
            world.reconcile().await;
        }
        assert_eq!(world.links().await, ["4.0", "3.0"]);
        let elsewhere = refused(world.roll_back(Some("1.0")).await);
        assert_eq!(
            elsewhere.hint,
            Some(format!("pointsman cancel {number}, then roll back"))
        );
        let decided = world.roll_back(None).await.unwrap();
        assert_eq!(
            (decided.number, decided.state),
            (number, DeploymentState::RollingBack)
        );
        assert_eq!(refused(world.roll_back(None).await).code, "rolling_back");
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::RolledBack);
        assert_eq!(world.links().await, ["3.0", "3.0"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_gone_from_a_host_is_brought_again() {
    with_database(|store| async {
        let mut world = three_good(store).await;
        let agent = world.agents.get_mut("web-1").unwrap();
        agent
            .root
            .releases
            .retain(|folder| Some(folder) == agent.root.current.as_ref());
        world.start("web-1").await;
        world.roll_back(None).await.unwrap();
        assert_eq!(world.offer("web-1").await.kind, JobKind::Install);
        assert!(
            world.offered("web-2").await.is_empty(),
            "the barrier holds on the way back, too"
        );
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "2.0"]);
    })
    .await;
}

#[tokio::test]
async fn before_any_switch_it_ends_without_touching_a_host() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        let number = world.deploy("2.0").await.unwrap().number;
        world.roll_back(None).await.unwrap();
        let ended = world.deployment(number).await;
        assert_eq!(ended.state, DeploymentState::Cancelled);
        assert_eq!(
            ended.reason.as_deref(),
            Some("rolled back by ann; no host had switched")
        );
        world.run().await;
        assert_eq!(world.links().await, ["1.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_host_that_failed_before_its_switch_does_not_hold_up_the_way_back() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["100%"], OnFailure::Rollback)).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        let number = world.deploy("2.0").await.unwrap().number;
        for host in ["web-1", "web-2"] {
            world.run_host(host).await;
        }
        world.reconcile().await;
        world.mishaps.insert("web-2".to_owned(), Mishap::BeforeHook);
        world.run_host("web-2").await;
        world.mishaps.insert("web-1".to_owned(), Mishap::Unhealthy);
        world.run_host("web-1").await;
        // The hook would fail on the way back as well.
        world.mishaps.insert("web-2".to_owned(), Mishap::BeforeHook);
        world.run().await;
        let ended = world.deployment(number).await;
        assert_eq!(ended.state, DeploymentState::RolledBack);
        assert!(world.mishaps.contains_key("web-2"), "nothing was tried on web-2");
        assert_eq!(world.links().await, ["1.0", "1.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_rollback_by_hand_leaves_alone_what_is_there() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["100%"], OnFailure::Hold)).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        let number = world.deploy("2.0").await.unwrap().number;
        for host in ["web-1", "web-2"] {
            world.run_host(host).await;
        }
        world.reconcile().await;
        world.mishaps.insert("web-2".to_owned(), Mishap::BeforeHook);
        world.run().await;
        world.cancel(number).await.unwrap();
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "1.0"]);
        let back = world.roll_back(None).await.unwrap();
        world.mishaps.insert("web-2".to_owned(), Mishap::BeforeHook);
        world.run().await;
        let ended = world.deployment(back.number).await;
        assert_eq!(
            (ended.kind.as_str(), ended.summary.as_str()),
            ("rollback", "live")
        );
        assert!(world.mishaps.contains_key("web-2"), "nothing was tried on web-2");
        assert_eq!(world.links().await, ["1.0", "1.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_paused_way_back_names_only_ways_out_that_exist() {
    with_database(|store| async {
        let mut world = World::new(store, 1, strategy(&["100%"], OnFailure::Rollback)).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        let number = world.deploy("2.0").await.unwrap().number;
        world.run_host("web-1").await;
        world.reconcile().await;
        world.mishaps.insert("web-1".to_owned(), Mishap::Unhealthy);
        world.run_host("web-1").await;
        world.reconcile().await;
        world.mishaps.insert("web-1".to_owned(), Mishap::BeforeHook);
        world.run().await;
        let paused = world.deployment(number).await;
        assert_eq!(paused.summary, "paused on the way back to 1.0: a person decides");
        let ways = [
            format!("pointsman decide {number} rollback"),
            format!("pointsman cancel {number}"),
        ];
        assert_eq!(paused.ways_out, ways);
        let retry = Said::Retry(HostsRequest {
            hosts: Vec::new(),
            reason: None,
        });
        let refusals = [
            refused(world.say(number, retry).await),
            refused(world.decide(number, Decision::Continue).await),
        ];
        for refusal in refusals {
            assert_eq!(refusal.code, "rolling_back");
            assert_eq!(refusal.hint, Some(ways.join(" | ")));
        }
        world.decide(number, Decision::Rollback).await.unwrap();
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::RolledBack);
    })
    .await;
}
