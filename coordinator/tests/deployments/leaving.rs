//! Agents that are asked to end, and say so.

use pointsman_shared::api::fleet::Host;
use pointsman_shared::api::projects::{OnFailure, Strategy};
use pointsman_shared::wire::from_agent::{Fault, ReportContent};
use pointsman_store::views;

use super::database::with_database;
use super::world::{World, strategy};

fn goodbye() -> ReportContent {
    ReportContent::Fault(Fault {
        placement: None,
        code: Fault::STOPPING.to_owned(),
        message: "the agent was asked to end".to_owned(),
    })
}

impl World {
    async fn host(&self, host: &str) -> Host {
        let rhythm = self.app.config.timing.rhythm();
        let mut conn = self.app.store.read().await.unwrap();
        views::hosts::one(&mut conn, host, &rhythm)
            .await
            .unwrap()
            .unwrap()
    }

    async fn says_goodbye(&mut self, host: &str) {
        let app = self.app.clone();
        self.agents.get_mut(host).unwrap().tell(&app, goodbye()).await;
    }
}

#[tokio::test]
async fn a_stopped_agent_is_shown_at_once_and_is_well_when_it_is_back() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.says_goodbye("web-1").await;
        let stopped = world.host("web-1").await;
        assert!(stopped.seen && stopped.stopped_at.is_some(), "{stopped:?}");
        assert!(
            stopped.problems[0].starts_with("its agent was stopped at"),
            "{:?}",
            stopped.problems
        );
        // The last word of a process that was followed by another says nothing of its host.
        let older = world.agents["web-1"].clone();
        world.start("web-1").await;
        let newer = world.agents.insert("web-1".to_owned(), older);
        world.says_goodbye("web-1").await;
        world.agents.insert("web-1".to_owned(), newer.unwrap());
        let back = world.host("web-1").await;
        assert_eq!(back.stopped_at, None);
        assert!(
            !back.problems.iter().any(|problem| problem.contains("stopped")),
            "{back:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn an_agent_restarted_in_a_deployment_takes_its_host_out_of_nothing() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Hold)).await;
        world.built("1.0").await;
        let number = world.deploy("1.0").await.unwrap().number;
        world.run_host("web-2").await;
        world.says_goodbye("web-1").await;
        world.sweep().await;
        world.reconcile().await;
        world.start("web-1").await;
        world.run().await;
        assert_eq!(world.deployment(number).await.summary, "live");
    })
    .await;
}
