//! Cancel in every state: it always ends, and says what it left behind.

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::projects::{OnFailure, Strategy};
use pointsman_shared::outcome::Outcome;

use super::database::with_database;
use super::wishes::refused;
use super::world::{World, strategy};

#[tokio::test]
async fn a_waiting_one_ends_at_once() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        world.built("2.0").await;
        world.deploy("1.0").await.unwrap();
        let waiting = world.deploy("2.0").await.unwrap().number;
        let cancelled = world.cancel(waiting).await.unwrap();
        assert_eq!(
            cancelled.reason.as_deref(),
            Some("cancelled by ann before it started")
        );
        assert_eq!(
            refused(world.cancel(waiting).await).what,
            format!("deployment #{waiting} is over: cancelled")
        );
        assert_eq!(refused(world.cancel(4711).await).code, "unknown_deployment");
        world.run().await;
        assert_eq!(world.links().await, ["1.0"]);
    })
    .await;
}

#[tokio::test]
async fn while_installing_it_waits_for_the_running_install_and_changes_nothing() {
    with_database(|store| async {
        let mut world = World::new(store, 2, Strategy::default()).await;
        world.built("1.0").await;
        let number = world.deploy("1.0").await.unwrap().number;
        let running = world.begin("web-1").await;
        let cancelling = world.cancel(number).await.unwrap();
        assert_eq!(
            (cancelling.state, cancelling.summary.as_str()),
            (DeploymentState::Cancelling, "being cancelled by ann")
        );
        assert!(world.offered("web-2").await.is_empty());
        let agent = world.agents.get_mut("web-1").unwrap();
        agent
            .report(&world.app, running.id, running.epoch.next(), Outcome::Cancelled)
            .await;
        world.reconcile().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::Cancelled);
        world.run().await;
        assert_eq!(world.links().await, ["nothing", "nothing"]);
    })
    .await;
}

#[tokio::test]
async fn in_the_middle_of_the_waves_what_has_switched_stays_and_is_shown() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Hold)).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        let number = world.deploy("2.0").await.unwrap().number;
        for host in ["web-1", "web-2", "web-1"] {
            world.run_host(host).await;
            world.reconcile().await;
        }
        assert_eq!(world.links().await, ["2.0", "1.0"]);
        let cancelled = world.cancel(number).await.unwrap();
        assert_eq!(cancelled.state, DeploymentState::Cancelled);
        assert_eq!(
            cancelled.reason.as_deref(),
            Some(&*format!(
                "deployment #{number} was cancelled by ann; 2.0 stays on web-1"
            ))
        );
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "1.0"], "nobody is moved unasked");
        let drift = world.placement("web-1").await.drift;
        assert_eq!(
            drift,
            Some(format!(
                "stays on 2.0 since deployment #{number}, which ended cancelled"
            ))
        );
        let back = world.roll_back(None).await.unwrap();
        assert_eq!(back.release.as_str(), "1.0", "back is where the target was");
        world.run().await;
        assert_eq!(world.links().await, ["1.0", "1.0"]);
        assert_eq!(world.placement("web-1").await.drift, None);
    })
    .await;
}

#[tokio::test]
async fn a_switch_that_was_too_far_to_be_stopped_is_told_as_it_is() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        let number = world.deploy("1.0").await.unwrap().number;
        world.run_host("web-1").await;
        world.reconcile().await;
        let running = world.begin("web-1").await;
        world.cancel(number).await.unwrap();
        world.finish("web-1", &running).await;
        let ended = world.deployment(number).await;
        assert_eq!(ended.state, DeploymentState::Cancelled);
        assert!(ended.reason.unwrap().ends_with("1.0 stays on web-1"));
    })
    .await;
}

#[tokio::test]
async fn a_host_lost_while_it_was_to_stop_leaves_it_abandoned() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        let number = world.deploy("1.0").await.unwrap().number;
        world.run_host("web-1").await;
        world.reconcile().await;
        world.begin("web-1").await;
        world.cancel(number).await.unwrap();
        world.start("web-1").await;
        world.reconcile().await;
        let ended = world.deployment(number).await;
        assert_eq!(ended.state, DeploymentState::Abandoned);
        assert_eq!(ended.hosts[0].state, "unknown");
    })
    .await;
}
