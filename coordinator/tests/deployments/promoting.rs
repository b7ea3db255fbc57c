//! Releases travel through the environments: the same bytes, and only past open gates.

use pointsman_coordinator::error::OperationResult;
use pointsman_coordinator::operations::mark_release::{self, Said};
use pointsman_coordinator::operations::{apply_document, promote};
use pointsman_shared::api::deployments::{Deployment, DeploymentState, NewDeployment, Promotion};
use pointsman_shared::api::projects::{
    Document, Gate, NewEnvironment, NewTarget, Retention, Strategy, WhenBusy,
};
use pointsman_shared::outcome::JobKind;
use pointsman_store::{targets, views};

use super::database::with_database;
use super::wishes::refused;
use super::world::World;

/// Staging comes before production, each with a host, and production asks for these gates.
async fn two_stages(store: pointsman_store::Store, gates: &[&str]) -> World {
    let mut world = World::new(store, 1, Strategy::default()).await;
    let staging = NewTarget {
        project: "shop".parse().unwrap(),
        environment: "staging".parse().unwrap(),
        hosts: [("role".to_owned(), "stage".to_owned())].into(),
        root: Some("/srv/shop".parse().unwrap()),
        strategy: Strategy::default(),
        retention: Retention::default(),
        gates: Vec::new(),
        when_busy: WhenBusy::default(),
        on_push: Vec::new(),
    };
    let production = NewTarget {
        environment: "production".parse().unwrap(),
        hosts: [("role".to_owned(), "web".to_owned())].into(),
        gates: gates
            .iter()
            .map(|gate| Gate::try_from((*gate).to_owned()).unwrap())
            .collect(),
        ..staging.clone()
    };
    let environment = |name: &str, position| NewEnvironment {
        name: name.parse().unwrap(),
        position,
    };
    let document = Document {
        environments: vec![environment("staging", 1), environment("production", 2)],
        targets: vec![staging, production],
        ..Document::default()
    };
    apply_document::execute(&world.app, &world.actor, document)
        .await
        .unwrap();
    let kinds = [
        JobKind::Install,
        JobKind::Activate,
        JobKind::Rollback,
        JobKind::Migrate,
    ];
    world.join("stage-1", &kinds, &[], &[("role", "stage")]).await;
    world.start("stage-1").await;
    world
}

impl World {
    async fn live_in_staging(&mut self, release: &str) {
        let wish = NewDeployment::new("shop@staging".parse().unwrap(), release);
        let wish =
            pointsman_coordinator::operations::request_deployment::execute(&self.app, &self.actor, &wish);
        let number = wish.await.unwrap();
        self.run().await;
        assert_eq!(self.deployment(number).await.summary, "live");
    }

    async fn promote(&self, from: &str, to: &str) -> OperationResult<Deployment> {
        let wish = Promotion {
            project: "shop".parse().unwrap(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            plan: None,
            reason: None,
        };
        let number = promote::execute(&self.app, &self.actor, &wish).await?;
        Ok(self.deployment(number).await)
    }

    async fn mark(&self, release: &str, said: Said<'_>) -> OperationResult<()> {
        let (project, mark) = ("shop".parse().unwrap(), "tested".parse().unwrap());
        mark_release::execute(&self.app, &self.actor, &project, release, &mark, said).await
    }
}

#[tokio::test]
async fn the_same_bytes_go_from_stage_to_stage() {
    with_database(|store| async {
        let mut world = two_stages(store, &["previous_live"]).await;
        world.built("1.0").await;
        let refusal = refused(world.promote("staging", "production").await);
        assert_eq!(refusal.code, "nothing_live");
        let refusal = refused(world.deploy("1.0").await);
        assert_eq!(refusal.code, "gate_previous_live");
        assert_eq!(refusal.hint.as_deref(), Some("pointsman deploy shop@staging 1.0"));
        world.live_in_staging("1.0").await;
        let promoted = world.promote("staging", "production").await.unwrap();
        world.run().await;
        assert_eq!(world.deployment(promoted.number).await.summary, "live");
        let folders: Vec<_> = ["stage-1", "web-1"]
            .map(|host| world.agents[host].root.current.clone())
            .into();
        assert!(folders[0].is_some());
        assert_eq!(folders[0], folders[1], "one release, one digest, one folder");
        let refusal = refused(world.promote("production", "staging").await);
        assert_eq!(refusal.code, "not_ahead");
    })
    .await;
}

#[tokio::test]
async fn what_was_rolled_back_in_a_stage_does_not_go_on() {
    with_database(|store| async {
        let mut world = two_stages(store, &["previous_live"]).await;
        world.built("1.0").await;
        world.built("2.0").await;
        world.live_in_staging("1.0").await;
        world.live_in_staging("2.0").await;
        let wish = pointsman_shared::api::deployments::NewRollback {
            target: "shop@staging".parse().unwrap(),
            release: None,
            reason: None,
        };
        pointsman_coordinator::operations::request_rollback::execute(&world.app, &world.actor, &wish)
            .await
            .unwrap();
        world.run().await;
        assert_eq!(refused(world.deploy("2.0").await).code, "gate_previous_live");
        world.promote("staging", "production").await.unwrap();
        world.run().await;
        assert_eq!(world.desired().await.as_deref(), Some("1.0"));
    })
    .await;
}

#[tokio::test]
async fn a_gate_asks_for_a_mark_and_a_rollback_asks_nobody() {
    with_database(|store| async {
        let mut world = two_stages(store, &["mark:tested"]).await;
        world.built("1.0").await;
        world.built("2.0").await;
        assert_eq!(refused(world.deploy("1.0").await).code, "gate_mark");
        world.mark("1.0", Said::Marked(Some("report 17"))).await.unwrap();
        world.mark("2.0", Said::Marked(None)).await.unwrap();
        world.live("1.0").await;
        world.live("2.0").await;
        let mut conn = world.app.store.read().await.unwrap();
        let releases = views::releases::page(&mut conn, &"shop".parse().unwrap(), None, 10)
            .await
            .unwrap();
        drop(conn);
        let marks = &releases.last().unwrap().marks;
        assert_eq!((marks[0].mark.as_str(), marks[0].by.as_str()), ("tested", "ann"));
        assert_eq!(marks[0].evidence.as_deref(), Some("report 17"));
        world.mark("1.0", Said::Unmarked).await.unwrap();
        assert_eq!(
            refused(world.mark("1.0", Said::Unmarked).await).code,
            "not_marked"
        );
        assert_eq!(refused(world.deploy("1.0").await).code, "gate_mark");
        world.roll_back(None).await.unwrap();
        world.run().await;
        assert_eq!(world.desired().await.as_deref(), Some("1.0"));
        let mut conn = world.app.store.read().await.unwrap();
        let target = targets::find(&mut conn, &"shop@production".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(target.unwrap().gates.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_gate_that_closed_while_a_wish_waited_holds_it() {
    with_database(|store| async {
        let mut world = two_stages(store, &["mark:tested"]).await;
        world.built("1.0").await;
        world.built("2.0").await;
        world.mark("1.0", Said::Marked(None)).await.unwrap();
        world.mark("2.0", Said::Marked(None)).await.unwrap();
        world.deploy("1.0").await.unwrap();
        let waiting = world.deploy("2.0").await.unwrap();
        world.mark("2.0", Said::Unmarked).await.unwrap();
        world.run().await;
        let ended = world.deployment(waiting.number).await;
        assert_eq!(ended.state, DeploymentState::Failed);
        assert!(ended.reason.unwrap().contains("not marked tested"));
        assert_eq!(world.desired().await.as_deref(), Some("1.0"));
    })
    .await;
}
