//! Migrations around deployments: what a rollback calls off and what refuses it, and who says how a lost run ended.

use pointsman_coordinator::error::OperationResult;
use pointsman_coordinator::operations::{request_migration, tend_migrations};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::migrations::MigrationRequest;
use pointsman_shared::api::projects::Strategy;
use pointsman_shared::migration::{MigrationPhase, MigrationState};
use pointsman_shared::outcome::{JobKind, Outcome, Product};
use pointsman_shared::wire::from_agent::{LedgerEntry, LedgerPage, ReportContent};
use pointsman_shared::wire::job::MigrateMode;
use pointsman_store::jobs::{self, JobRow};
use pointsman_store::migrations::{self, ReleaseMigration};
use pointsman_store::{Store, targets, views};

use super::database::with_database;
use super::wishes::refused;
use super::world::World;

/// A project's own tool, whose post-migrations are started by hand and at once.
const RECIPE: &str = "[migrations.post]
list = ['bin/migrate', 'list']
apply = ['bin/migrate', 'apply']
after = '0s'
";

impl World {
    async fn tend(&self) {
        tend_migrations::tend_all(&self.app).await.unwrap();
    }

    async fn migrate(&self, mode: MigrateMode) -> OperationResult<i64> {
        let wish = MigrationRequest {
            phase: MigrationPhase::Post,
            mode,
            release: None,
            migration: None,
            reason: None,
        };
        let target = "shop@production".parse().unwrap();
        request_migration::execute(&self.app, &self.actor, &target, &wish).await
    }

    /// A host tells one page of a ledger.
    async fn page(&mut self, host: &str, job: &JobRow, page: (u32, u32), entries: &[(&str, MigrationState)]) {
        let entry = |(name, state): &(&str, MigrationState)| LedgerEntry {
            name: name.parse().unwrap(),
            checksum: None,
            state: *state,
            own: true,
        };
        let content = ReportContent::Ledger(LedgerPage {
            job: job.id,
            epoch: job.epoch.next(),
            phase: MigrationPhase::Post,
            page: page.0,
            pages: page.1,
            entries: entries.iter().map(entry).collect(),
        });
        let agent = self.agents.get_mut(host).unwrap();
        agent.tell(&self.app, content).await;
    }

    async fn done(&mut self, host: &str, job: &JobRow) {
        let outcome = Outcome::Succeeded {
            product: Product::Nothing,
        };
        let agent = self.agents.get_mut(host).unwrap();
        agent.report(&self.app, job.id, job.epoch.next(), outcome).await;
    }

    async fn state(&self, job: &JobRow) -> JobState {
        let mut conn = self.app.store.read().await.unwrap();
        jobs::get(&mut conn, job.id).await.unwrap().unwrap().state
    }
}

/// 2.0 is live with one pending post-migration, after 1.0 was.
async fn with_pending(store: Store, hosts: usize) -> World {
    let mut world = World::new(store, hosts, Strategy::default()).await;
    world.repository.release("4.0", &[("pointsman.toml", RECIPE)]);
    for version in ["1.0", "4.0"] {
        world.built(version).await;
        world.live(version).await;
    }
    world.tend().await;
    let look = world.begin("web-1").await;
    world
        .page("web-1", &look, (0, 1), &[("1_drop", MigrationState::Pending)])
        .await;
    world.done("web-1", &look).await;
    world
}

#[tokio::test]
async fn a_rollback_calls_off_what_would_run_under_the_older_release() {
    with_database(|store| async {
        let mut world = with_pending(store, 1).await;
        world.migrate(MigrateMode::Apply).await.unwrap();
        let apply = world.offer("web-1").await;
        world.roll_back(None).await.unwrap();
        assert_eq!(world.state(&apply).await, JobState::Superseded);
        assert!(!world.agents["web-1"].claim(&world.app, &apply).await);
        world.run().await;
        assert_eq!(world.links().await, ["1.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_rollback_waits_for_what_runs_already() {
    with_database(|store| async {
        let mut world = with_pending(store, 1).await;
        let number = world.migrate(MigrateMode::Apply).await.unwrap();
        let apply = world.begin("web-1").await;
        let running = refused(world.roll_back(None).await);
        assert_eq!(running.code, "migration_running");
        assert_eq!(
            running.what,
            format!("job #{number} may be running post-migrations that release 1.0 cannot live with")
        );
        world
            .page("web-1", &apply, (0, 1), &[("1_drop", MigrationState::Applied)])
            .await;
        world.done("web-1", &apply).await;
        assert_eq!(refused(world.roll_back(None).await).code, "migration_forbids");
        assert_eq!(
            refused(world.deploy("1.0").await).code,
            "migration_forbids",
            "a deployment of it is a way back too"
        );
    })
    .await;
}

#[tokio::test]
async fn a_release_is_not_gone_back_to_without_its_pre_migrations() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        let first = world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        world.live("2.0").await;
        let mut conn = world.app.store.read().await.unwrap();
        let needed = ReleaseMigration {
            phase: MigrationPhase::Pre,
            name: "1_add".parse().unwrap(),
            checksum: None,
            reversible: true,
        };
        migrations::add_to_release(&mut conn, first.id, &needed)
            .await
            .unwrap();
        let missing = refused(world.roll_back(None).await);
        assert_eq!(missing.code, "migration_missing");
        assert_eq!(
            missing.hint.as_deref(),
            Some("deploy it instead, which applies it first: pointsman deploy shop@production 1.0")
        );
    })
    .await;
}

#[tokio::test]
async fn a_lost_run_is_settled_by_the_whole_list_and_not_by_its_last_page() {
    with_database(|store| async {
        let mut world = with_pending(store, 1).await;
        world.migrate(MigrateMode::Apply).await.unwrap();
        let apply = world.begin("web-1").await;
        world.start("web-1").await;
        assert_eq!(world.state(&apply).await, JobState::Indeterminate);
        world.tend().await;
        let look = world.begin("web-1").await;
        world
            .page("web-1", &look, (1, 2), &[("2_more", MigrationState::Applied)])
            .await;
        assert_eq!(world.state(&apply).await, JobState::Indeterminate);
        world
            .page("web-1", &look, (0, 2), &[("1_drop", MigrationState::Applied)])
            .await;
        assert_eq!(world.state(&apply).await, JobState::Succeeded);
        let mut conn = world.app.store.read().await.unwrap();
        let target = targets::find(&mut conn, &"shop@production".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        let known = migrations::of_target(&mut conn, target.id).await.unwrap();
        assert_eq!(known.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_look_goes_on_to_another_host_when_its_own_is_away() {
    with_database(|store| async {
        let mut world = with_pending(store, 2).await;
        world.migrate(MigrateMode::List).await.unwrap();
        let look = world.offer("web-1").await;
        world.vanish("web-1").await;
        world.tend().await;
        assert_eq!(world.state(&look).await, JobState::Superseded);
        world.migrate(MigrateMode::List).await.unwrap();
        world.offer("web-2").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_only_built_migrates_nothing_and_by_hand_its_release_is_brought_first() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        let recipe = RECIPE
            .replace("[migrations.post]", "[migrations.pre]")
            .replace("after = '0s'\n", "");
        world.repository.release("4.0", &[("pointsman.toml", &recipe)]);
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("4.0").await;
        world.tend().await;
        world.run().await;
        let mut conn = world.app.store.read().await.unwrap();
        let all = views::jobs::Wanted {
            state: None,
            ..Default::default()
        };
        let jobs = views::jobs::page(&mut conn, all, 100).await.unwrap();
        assert!(jobs.iter().all(|job| job.kind != JobKind::Migrate), "{jobs:?}");
        drop(conn);

        let wish = MigrationRequest {
            phase: MigrationPhase::Pre,
            mode: MigrateMode::Apply,
            release: Some("4.0".to_owned()),
            migration: None,
            reason: None,
        };
        let target = "shop@production".parse().unwrap();
        request_migration::execute(&world.app, &world.actor, &target, &wish)
            .await
            .unwrap();
        assert_eq!(world.offer("web-1").await.kind, JobKind::Install);
        world.run_host("web-1").await;
        world.tend().await;
        assert_eq!(world.offer("web-1").await.kind, JobKind::Migrate);
        assert_eq!(world.links().await, ["1.0"], "nothing was switched for it");
    })
    .await;
}
