//! The main job on three hosts, and who waits for whom.

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::projects::{OnFailure, Strategy};

use super::database::with_database;
use super::wishes::refused;
use super::world::{World, strategy};

#[tokio::test]
async fn three_hosts_go_live_wave_by_wave_after_all_are_installed() {
    with_database(|store| async {
        let mut world = World::new(store, 3, strategy(&["1", "100%"], OnFailure::Hold)).await;
        world.built("1.0").await;
        let deployment = world.deploy("1.0").await.unwrap();
        assert_eq!(deployment.state, DeploymentState::Installing);
        for host in ["web-1", "web-2"] {
            world.run_host(host).await;
            world.reconcile().await;
            assert!(
                world.offered("web-1").await.is_empty(),
                "no host switches before the barrier"
            );
        }
        world.run_host("web-3").await;
        world.reconcile().await;
        assert_eq!(
            world.deployment(deployment.number).await.summary,
            "switching wave 1 of 2"
        );
        assert!(world.offered("web-2").await.is_empty());
        world.run_host("web-1").await;
        assert_eq!(world.links().await, ["1.0", "nothing", "nothing"]);
        world.run().await;
        let live = world.deployment(deployment.number).await;
        assert_eq!(
            (live.state, live.summary.as_str()),
            (DeploymentState::Live, "live")
        );
        assert!(live.hosts.iter().all(|host| host.state == "live"));
        assert_eq!(world.links().await, ["1.0", "1.0", "1.0"]);
        assert_eq!(world.desired().await.as_deref(), Some("1.0"));
        let placement = world.placement("web-2").await;
        assert_eq!(placement.confirmed, placement.desired);
        assert_eq!(placement.current, world.agents["web-2"].root.current);
    })
    .await;
}

#[tokio::test]
async fn a_second_deploy_waits_and_a_third_takes_the_place_of_the_second() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        for version in ["1.0", "2.0", "3.0"] {
            world.built(version).await;
        }
        let first = world.deploy("1.0").await.unwrap();
        let second = world.deploy("2.0").await.unwrap();
        assert_eq!(second.summary, format!("waiting behind #{}", first.number));
        let third = world.deploy("3.0").await.unwrap();
        assert_eq!(third.summary, format!("waiting behind #{}", first.number));
        let second = world.deployment(second.number).await;
        assert_eq!(
            (second.state, second.reason.as_deref()),
            (DeploymentState::Superseded, Some("a newer wish took its place"))
        );
        world.run().await;
        assert_eq!(world.deployment(first.number).await.state, DeploymentState::Live);
        assert_eq!(world.deployment(third.number).await.state, DeploymentState::Live);
        assert_eq!(world.links().await, ["3.0"]);
    })
    .await;
}

#[tokio::test]
async fn max_unavailable_holds_inside_a_wave() {
    with_database(|store| async {
        let careful = Strategy {
            max_unavailable: 1,
            ..strategy(&["100%"], OnFailure::Hold)
        };
        let mut world = World::new(store, 3, careful).await;
        world.built("1.0").await;
        world.deploy("1.0").await.unwrap();
        for host in ["web-1", "web-2", "web-3"] {
            world.run_host(host).await;
        }
        for host in ["web-1", "web-2", "web-3"] {
            world.reconcile().await;
            let mut offered = 0;
            for other in ["web-1", "web-2", "web-3"] {
                offered += world.offered(other).await.len();
            }
            assert_eq!(offered, 1);
            world.run_host(host).await;
        }
        world.run().await;
        assert_eq!(world.links().await, ["1.0", "1.0", "1.0"]);
    })
    .await;
}

#[tokio::test]
async fn wishes_that_cannot_be_fulfilled_are_refused() {
    with_database(|store| async {
        let mut world = World::new(store, 0, Strategy::default()).await;
        assert_eq!(
            refused(world.deploy("#1").await).what,
            "there is no release #1: nothing was built yet"
        );
        world.built("1.0").await;
        let no_hosts = refused(world.deploy("1.0").await);
        assert_eq!(
            no_hosts.what,
            "shop@production has no host: none that joined has the labels role=web"
        );
        world.join_web("web-1").await;
        world.start("web-1").await;
        let waves = refused(
            world
                .deploy_with("1.0", |wish| wish.waves = Some(vec!["none".to_owned()]))
                .await,
        );
        assert_eq!(waves.code, "invalid_waves");
        world.build("2.0").await.unwrap();
        let unknown = refused(world.deploy("9.9").await);
        assert_eq!(unknown.code, "unknown_release");
        let near = refused(
            world
                .deploy_with("shop", |wish| wish.target = "shop@prodction".parse().unwrap())
                .await,
        );
        assert_eq!(near.hint.as_deref(), Some("did you mean shop@production?"));
    })
    .await;
}

#[tokio::test]
async fn two_coordinators_look_at_once_and_nothing_happens_twice() {
    with_database(|store| async {
        let mut world = World::new(store, 3, strategy(&["1", "100%"], OnFailure::Hold)).await;
        world.built("1.0").await;
        let deployment = world.deploy("1.0").await.unwrap();
        for _ in 0..8 {
            tokio::join!(world.reconcile(), world.reconcile(), world.reconcile());
            for host in ["web-1", "web-2", "web-3"] {
                world.run_host(host).await;
            }
        }
        assert_eq!(world.deployment(deployment.number).await.summary, "live");
        for host in ["web-1", "web-2", "web-3"] {
            assert_eq!(
                world.placement(host).await.generation.0,
                1,
                "one decision for each host"
            );
        }
    })
    .await;
}
