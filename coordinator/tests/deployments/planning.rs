//! Plans say what a deployment would do, and a deployment can be held to one.

use pointsman_coordinator::error::OperationResult;
use pointsman_coordinator::operations::{make_plan, release_lock, set_lock};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::locks::NewLock;
use pointsman_shared::api::plans::{NewPlan, Plan};
use pointsman_shared::api::projects::{OnFailure, Strategy};

use super::database::with_database;
use super::wishes::refused;
use super::world::{World, strategy};

impl World {
    /// A plan that was asked for.
    pub async fn plan(&self, release: &str) -> OperationResult<Plan> {
        let wish = NewPlan {
            target: "shop@production".parse().unwrap(),
            release: release.to_owned(),
            waves: None,
            on_failure: None,
        };
        make_plan::execute(&self.app, &self.actor, &wish).await
    }
}

#[tokio::test]
async fn a_plan_tells_what_comes_what_goes_and_the_way_back() {
    with_database(|store| async {
        let mut world = World::new(store, 3, strategy(&["1", "100%"], OnFailure::Hold)).await;
        world.built("1.0").await;
        let first = world.plan("1.0").await.unwrap();
        assert_eq!(first.commits.unknown.as_deref(), Some("nothing is live yet"));
        assert_eq!(
            first.way_back.note.as_deref(),
            Some("nothing was live and healthy here before")
        );
        assert_eq!(first.expected, None, "nothing is guessed");
        world.live("1.0").await;
        world.built("2.0").await;
        let plan = world.plan("2.0").await.unwrap();
        let waves: Vec<_> = plan.agreed.waves.iter().map(Vec::len).collect();
        assert_eq!(waves, [1, 2]);
        assert_eq!(plan.agreed.from.as_ref().unwrap().label.as_str(), "1.0");
        let subjects: Vec<_> = plan
            .commits
            .coming
            .iter()
            .map(|commit| commit.subject.as_str())
            .collect();
        assert_eq!(subjects, ["version 2.0"]);
        assert!(plan.commits.going.is_empty());
        assert_eq!(
            (
                plan.way_back.to.as_ref().unwrap().as_str(),
                plan.way_back.ready_on
            ),
            ("1.0", 3)
        );
        assert_eq!(plan.expected.unwrap().runs, 1);
        assert!(plan.obstacles.is_empty());
        let back = world.live("2.0").await;
        assert_eq!(back.summary, "live");
        let back = world.plan("1.0").await.unwrap();
        let going: Vec<_> = back
            .commits
            .going
            .iter()
            .map(|commit| commit.subject.as_str())
            .collect();
        assert_eq!(going, ["version 2.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_deployment_does_what_was_planned_or_nothing() {
    with_database(|store| async {
        let mut world = World::new(store, 2, Strategy::default()).await;
        for version in ["1.0", "2.0", "3.0"] {
            world.built(version).await;
        }
        world.live("1.0").await;
        let plan = world.plan("2.0").await.unwrap();
        let again = world.plan("2.0").await.unwrap();
        assert_eq!(plan.hash, again.hash, "the same plan has the same hash");
        let other = world.deploy_with("3.0", |wish| wish.plan = Some(plan.hash)).await;
        assert!(refused(other).what.contains("it deploys 2.0 (#2), not 3.0 (#3)"));
        let other = world.deploy_with("2.0", |wish| {
            wish.plan = Some(plan.hash);
            wish.waves = Some(vec!["1".to_owned()]);
        });
        assert!(refused(other.await).what.contains("the strategy differs"));
        world.live("3.0").await;
        let late = refused(world.deploy_with("2.0", |wish| wish.plan = Some(plan.hash)).await);
        assert_eq!(late.code, "plan_changed");
        assert!(
            late.what.contains("1.0 (#1) was live, now 3.0 (#3) is"),
            "{}",
            late.what
        );
        let fresh = world.plan("2.0").await.unwrap();
        world
            .deploy_with("2.0", |wish| wish.plan = Some(fresh.hash))
            .await
            .unwrap();
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "2.0"]);
        let unknown = pointsman_shared::digest::Digest::of(b"never made");
        let refusal = refused(world.deploy_with("1.0", |wish| wish.plan = Some(unknown)).await);
        assert_eq!(refusal.code, "unknown_plan");
    })
    .await;
}

#[tokio::test]
async fn a_plan_names_what_stands_in_the_way() {
    with_database(|store| async {
        let mut world = World::new(store, 2, Strategy::default()).await;
        world.built("1.0").await;
        world.live("1.0").await;
        assert_eq!(refused(world.plan("2.0").await).code, "release_not_built");
        world.built("2.0").await;
        world.vanish("web-2").await;
        world.deploy("2.0").await.unwrap();
        let plan = world.plan("2.0").await.unwrap();
        assert_eq!(plan.notes.len(), 1);
        assert_eq!(plan.notes[0].host.as_str(), "web-2");
        assert!(
            plan.obstacles[0].starts_with("it would wait behind #2"),
            "{:?}",
            plan.obstacles
        );
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_is_pressed_twice_is_carried_out_once() {
    with_database(|store| async {
        let mut world = World::new(store, 2, Strategy::default()).await;
        for version in ["1.0", "2.0"] {
            world.built(version).await;
        }
        world.live("1.0").await;
        let plan = world.plan("2.0").await.unwrap();
        let press = || {
            world.deploy_with("2.0", |wish| {
                wish.plan = Some(plan.hash);
                wish.hold_s = Some(5);
            })
        };
        let (one, other) = tokio::join!(press(), press());
        let number = one.unwrap().number;
        assert_eq!(number, other.unwrap().number, "both land on the same deployment");
        assert_eq!(press().await.unwrap().number, number, "and so does a later one");
        let looked = make_plan::look(&world.app, &plan.hash).await.unwrap();
        assert_eq!(looked.under_way, Some(number));
        // What is being cancelled carries nothing out any more.
        world.cancel(number).await.unwrap();
        let looked = make_plan::look(&world.app, &plan.hash).await.unwrap();
        assert_eq!(looked.under_way, None);
        let anew = world
            .deploy_with("2.0", |wish| wish.plan = Some(plan.hash))
            .await
            .unwrap();
        assert_ne!(anew.number, number);
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "2.0"]);
    })
    .await;
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_plan_is_said_as_it_is_now() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        for version in ["1.0", "2.0"] {
            world.built(version).await;
        }
        world.live("1.0").await;
        let target = "shop@production".parse().unwrap();
        let lock = NewLock {
            reason: "the audit".to_owned(),
            expires_in_s: None,
        };
        set_lock::execute(&world.app, &world.actor, Some(&target), &lock)
            .await
            .unwrap();
        let plan = world.plan("2.0").await.unwrap();
        let wanted = [
            "shop@production is locked by ann: the audit; ask ann; pointsman unlock shop@production ends it",
        ];
        assert_eq!(plan.obstacles, wanted);
        let looked = make_plan::look(&world.app, &plan.hash).await.unwrap();
        assert_eq!(looked.plan.obstacles, wanted);
        release_lock::execute(&world.app, &world.actor, Some(&target))
            .await
            .unwrap();
        let looked = make_plan::look(&world.app, &plan.hash).await.unwrap();
        assert!(looked.plan.obstacles.is_empty(), "{looked:?}");
    })
    .await;
}

#[tokio::test]
async fn a_plan_is_looked_at_again_when_the_deployment_starts() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        for version in ["1.0", "2.0", "3.0"] {
            world.built(version).await;
        }
        world.live("1.0").await;
        let plan = world.plan("2.0").await.unwrap();
        world.deploy("3.0").await.unwrap();
        let planned = world
            .deploy_with("2.0", |wish| wish.plan = Some(plan.hash))
            .await
            .unwrap();
        world.run().await;
        let ended = world.deployment(planned.number).await;
        assert_eq!(ended.state, DeploymentState::Failed);
        assert!(
            ended
                .reason
                .unwrap()
                .contains("1.0 (#1) was live, now 3.0 (#3) is")
        );
        assert_eq!(world.links().await, ["3.0"]);
    })
    .await;
}
