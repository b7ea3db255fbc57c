//! Hosts that were absent, are new, or are not where this database thinks they are.

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::projects::{OnFailure, Strategy};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, Generation};
use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::FenceState;
use pointsman_store::placements;

use super::agent::Mishap;
use super::database::with_database;
use super::world::{World, strategy};

/// 1.0 is live on every host, and 2.0 is built.
async fn ready(store: pointsman_store::Store, hosts: usize) -> World {
    let mut world = World::new(store, hosts, strategy(&["1", "100%"], OnFailure::Hold)).await;
    world.built("1.0").await;
    world.live("1.0").await;
    world.built("2.0").await;
    world
}

#[tokio::test]
async fn an_absent_host_is_deferred_by_name_and_converges_when_it_returns() {
    with_database(|store| async {
        let mut world = ready(store, 3).await;
        world.vanish("web-3").await;
        let number = world.deploy("2.0").await.unwrap().number;
        world.run().await;
        let live = world.deployment(number).await;
        assert_eq!(live.state, DeploymentState::Live);
        assert!(
            live.summary
                .starts_with("live on 2 of 3 hosts with 1 deferred: web-3 (host web-3 is absent"),
            "{}",
            live.summary
        );
        assert_eq!(live.hosts[2].state, "deferred");
        assert_eq!(world.links().await, ["2.0", "2.0", "1.0"]);
        world.start("web-3").await;
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "2.0", "2.0"]);
        assert_eq!(world.placement("web-3").await.generation.0, 2);
    })
    .await;
}

#[tokio::test]
async fn a_host_that_vanishes_before_its_switch_is_granted_is_deferred_not_failed() {
    with_database(|store| async {
        let mut world = ready(store, 2).await;
        let number = world.deploy("2.0").await.unwrap().number;
        for host in ["web-1", "web-2", "web-1"] {
            world.run_host(host).await;
            world.reconcile().await;
        }
        assert_eq!(world.offer("web-2").await.kind, JobKind::Activate);
        world.vanish("web-2").await;
        world.run().await;
        let live = world.deployment(number).await;
        assert_eq!(
            (live.state, live.hosts[1].state.as_str()),
            (DeploymentState::Live, "deferred")
        );
        world.start("web-2").await;
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "2.0"]);
    })
    .await;
}

#[tokio::test]
async fn with_every_host_absent_it_fails() {
    with_database(|store| async {
        let mut world = ready(store, 1).await;
        world.vanish("web-1").await;
        let number = world.deploy("2.0").await.unwrap().number;
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::Failed);
        world.start("web-1").await;
        world.run().await;
        assert_eq!(world.links().await, ["1.0"], "what failed is not brought later");
    })
    .await;
}

#[tokio::test]
async fn a_new_host_gets_what_is_live() {
    with_database(|store| async {
        let mut world = ready(store, 1).await;
        world.join_web("web-9").await;
        world.start("web-9").await;
        world.reconcile().await;
        // The placement is new: the next hello names it.
        world.start("web-9").await;
        world.run().await;
        assert_eq!(world.links().await, ["1.0", "1.0"]);
    })
    .await;
}

#[tokio::test]
async fn while_a_deployment_is_open_nobody_converges() {
    with_database(|store| async {
        let mut world = ready(store, 2).await;
        world.vanish("web-2").await;
        let number = world.deploy("2.0").await.unwrap().number;
        world.run_host("web-1").await;
        world.sweep().await;
        world.reconcile().await;
        assert_eq!(world.deployment(number).await.hosts[1].state, "deferred");
        world.start("web-2").await;
        world.reconcile().await;
        assert!(world.offered("web-2").await.is_empty());
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "2.0"]);
    })
    .await;
}

#[tokio::test]
async fn what_failed_to_converge_is_not_tried_again_by_itself() {
    with_database(|store| async {
        let mut world = ready(store, 2).await;
        world.vanish("web-2").await;
        world.live_with_deferred("2.0").await;
        world.mishaps.insert("web-2".to_owned(), Mishap::DiskFull);
        world.start("web-2").await;
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "1.0"]);
        world.start("web-2").await;
        world.run().await;
        assert!(world.offered("web-2").await.is_empty());
        let drift = world.placement("web-2").await.drift;
        assert_eq!(
            drift.as_deref(),
            Some("2.0 could not be brought here: no space left on /srv/shop; deploy it again")
        );
        world.live("2.0").await;
        assert_eq!(
            world.links().await,
            ["2.0", "2.0"],
            "a person's next wish tries it again"
        );
    })
    .await;
}

#[tokio::test]
async fn a_restored_old_database_never_moves_a_host() {
    with_database(|store| async {
        let mut world = ready(store, 2).await;
        // The fleet went on to generation 9 and another release; this database knows nothing of it.
        let elsewhere = ReleaseFolder::of(77, &Digest::of(b"later"));
        for host in ["web-1", "web-2"] {
            let root = &mut world.agents.get_mut(host).unwrap().root;
            root.releases.push(elsewhere.clone());
            root.current = Some(elsewhere.clone());
            root.fence = FenceState::Standing {
                generation: Generation(9),
                job: None,
                epoch: Epoch(1),
                to: Some(elsewhere.clone()),
                done: true,
            };
            world.start(host).await;
        }
        world.run().await;
        for host in ["web-1", "web-2"] {
            assert_eq!(world.agents[host].root.current.as_ref(), Some(&elsewhere));
            let placement = world.placement(host).await;
            assert_eq!((placement.generation.0, placement.confirmed), (9, None));
            assert_eq!(
                placement.drift.as_deref(),
                Some("its fence is at generation 9, above ours (1): this database is older than the host")
            );
            world.start(host).await;
        }
        world.run().await;
        assert_eq!(
            world.agents["web-1"].root.current.as_ref(),
            Some(&elsewhere),
            "nor after the next hello"
        );
        world.live("2.0").await;
        assert_eq!(world.links().await, ["2.0", "2.0"], "a person decided");
        assert_eq!(world.placement("web-1").await.generation.0, 10);
    })
    .await;
}

#[tokio::test]
async fn an_open_deployment_of_a_restored_database_moves_no_host_either() {
    with_database(|store| async {
        let mut world = ready(store, 1).await;
        let number = world.deploy("2.0").await.unwrap().number;
        world.run_host("web-1").await;
        world.reconcile().await;
        assert_eq!(world.offer("web-1").await.kind, JobKind::Activate);
        let root = &mut world.agents.get_mut("web-1").unwrap().root;
        let to = root.current.clone();
        root.fence = FenceState::Standing {
            generation: Generation(9),
            job: None,
            epoch: Epoch(1),
            to,
            done: true,
        };
        world.start("web-1").await;
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::Failed);
        assert_eq!(world.links().await, ["1.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_link_changed_by_hand_is_shown_and_left() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        world.live("2.0").await;
        let root = &mut world.agents.get_mut("web-1").unwrap().root;
        let first = root.releases[0].clone();
        root.current = Some(first);
        world.start("web-1").await;
        world.run().await;
        assert_eq!(world.links().await, ["1.0"]);
        let placement = world.placement("web-1").await;
        assert!(placement.drift.unwrap().starts_with("`current` names 000001-"));
        assert_ne!(placement.confirmed, placement.desired);
    })
    .await;
}

#[tokio::test]
async fn a_lost_switch_followed_by_a_failed_one_is_unknown_until_the_host_speaks() {
    with_database(|store| async {
        let mut world = ready(store, 1).await;
        let number = world.deploy("2.0").await.unwrap().number;
        world.run_host("web-1").await;
        world.reconcile().await;
        // The first attempt renames the link and is lost before it can say so.
        world.begin("web-1").await;
        let first = world.placement("web-1").await.current;
        let newer = world.agents["web-1"].root.releases.last().cloned();
        world.agents.get_mut("web-1").unwrap().root.current = newer.clone();
        world.start("web-1").await;
        assert_ne!(first, newer);
        let again = world.begin("web-1").await;
        world.mishaps.insert("web-1".to_owned(), Mishap::BeforeHook);
        world.finish("web-1", &again).await;

        let unknown = world.placement("web-1").await;
        assert_eq!(unknown.confirmed, None, "nobody says that 1.0 is still live");
        let mut conn = world.app.store.read().await.unwrap();
        let host = "web-1".parse().unwrap();
        assert!(
            placements::any_in_doubt(&mut conn, &host).await.unwrap(),
            "its next beat is asked for a hello"
        );
        drop(conn);
        assert_eq!(world.deployment(number).await.hosts[0].state, "failed");

        world.start("web-1").await;
        world.reconcile().await;
        let told = world.placement("web-1").await;
        assert_eq!((told.current, told.confirmed), (newer, told.attempted));
    })
    .await;
}
