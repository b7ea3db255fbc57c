//! What is being collected is counted on by nobody; builders collect what builds left behind once at a time, once a
//! night, and what they took is told.

use pointsman_coordinator::operations::collect_garbage;
use pointsman_domain::{Actor, ActorKind};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::garbage::{BuilderGarbage, GarbageRequest};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::{OnFailure, Retention, Strategy};
use pointsman_shared::outcome::JobKind;
use pointsman_store::jobs;

use super::database::with_database;
use super::world::{World, strategy};

impl World {
    /// What a collection by somebody says of the builders.
    async fn builders(&self, kind: ActorKind, dry_run: bool) -> Vec<BuilderGarbage> {
        let actor = Actor {
            kind,
            ..self.actor.clone()
        };
        let wish = GarbageRequest {
            dry_run,
            ..GarbageRequest::default()
        };
        let found = collect_garbage::execute(&self.app, &actor, &wish).await;
        found.unwrap().builders
    }
}

#[tokio::test]
async fn a_builder_collects_once_at_a_time_and_says_what_it_took() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        let kinds = [JobKind::Build, JobKind::CollectGarbage];
        world.join("tidy", &kinds, &["default"], &[]).await;
        world.start("tidy").await;
        let looked = world.builders(ActorKind::Token, true).await;
        assert!(
            looked
                .iter()
                .all(|builder| builder.job.is_none() && builder.last.is_none())
        );

        let ordered = world.builders(ActorKind::Token, false).await;
        let hosts: Vec<_> = ordered.iter().map(|builder| builder.host.as_str()).collect();
        assert_eq!(hosts, ["builder", "tidy"]);
        assert_eq!(ordered[0].left.as_deref(), Some("it takes no collections"));
        let number = ordered[1].job.expect("it collects");
        let again = world.builders(ActorKind::Token, false).await;
        assert_eq!(again[1].job, Some(number), "one at a time");
        world.run_host("tidy").await;

        let told = world.builders(ActorKind::Token, true).await;
        let last = told[1].last.as_ref().expect("it collected");
        assert_eq!((last.job, last.bytes, last.gone.len()), (number, 1000, 1));
        assert_eq!(last.gone[0].reason, "unused for 31 d");
        let nightly = world.builders(ActorKind::Schedule, false).await;
        let left = nightly[1].left.as_deref().unwrap_or_default();
        assert_eq!(left, format!("job #{number} collected there lately"));
        let by_hand = world.builders(ActorKind::Token, false).await;
        assert!(by_hand[1].job.is_some_and(|job| job > number));
    })
    .await;
}

#[tokio::test]
async fn a_host_that_returns_amid_a_collection_is_not_counted_on_for_what_goes() {
    with_database(|store| async {
        let waves = strategy(&["100%"], OnFailure::Hold);
        let mut world = World::new(store, 2, waves.clone()).await;
        let nothing_old = Retention {
            keep: 0,
            min_age_hours: 0,
        };
        world.apply(waves, nothing_old).await;
        for version in ["1.0", "2.0", "3.0"] {
            world.built(version).await;
            world.live(version).await;
        }
        let wish = GarbageRequest::default();
        let found = collect_garbage::execute(&world.app, &world.actor, &wish).await;
        assert_eq!(found.unwrap().jobs.len(), 2);
        world.run_host("web-2").await;
        let collection = world.begin("web-1").await;
        assert_eq!(collection.kind, JobKind::CollectGarbage);
        // The new process still finds the release that goes. Until web-2 has it nobody is switched, and all the same it
        // is wanted from now on.
        world.start("web-1").await;
        let number = world.deploy("1.0").await.unwrap().number;
        world.reconcile().await;
        let mut conn = world.app.store.read().await.unwrap();
        let called_off = jobs::get(&mut conn, collection.id).await.unwrap().unwrap();
        assert_eq!(called_off.state, JobState::Cancelled);
        drop(conn);
        world.run_host("web-1").await;
        world.run().await;
        let live = world.deployment(number).await;
        assert_eq!(live.state, DeploymentState::Live, "{live:#?}");
        assert_eq!(world.links().await, ["1.0", "1.0"]);
    })
    .await;
}
