//! Orders work on one host: bring a release, switch to it, or work on its migrations. The one place where a generation
//! is allocated.
//!
//! All join the caller's transaction and are offered in it, or deferred because the host is absent.

use pointsman_domain::job::Purpose;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::{DeploymentId, JobId, StreamId};
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::name::SlotName;
use pointsman_shared::wire::TraceParent;
use pointsman_shared::wire::job::{
    Audience, InstallOrder, JobBody, MigrateMode, MigrateOrder, MigrationRef, Order, SwitchOrder,
};
use pointsman_store::jobs::JobRow;
use pointsman_store::placements::PlacementRow;
use pointsman_store::releases::{Built, ReleaseRow};
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, Transaction, jobs, placements};

use super::{offer_job, order_collection, request_build, supersede_job};
use crate::app::App;
use crate::error::OperationResult;

/// Grants a host's job may have; a switch keeps its generation over all of them.
const EPOCHS: u32 = 3;

/// What is ordered, where, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct HostJob<'a> {
    /// Where.
    pub placement: &'a PlacementRow,
    /// Its target.
    pub target: &'a TargetRow,
    /// Which release; it is built.
    pub release: &'a ReleaseRow,
    /// Why.
    pub purpose: Purpose,
    /// The deployment that wants it.
    pub deployment: Option<DeploymentId>,
    /// The trace of the request that wished it; none = the deployment's.
    pub trace: Option<&'a TraceParent>,
}

impl<'a> HostJob<'a> {
    /// Work on a release's migrations outside deployments.
    pub const fn on_migrations(
        placement: &'a PlacementRow,
        target: &'a TargetRow,
        release: &'a ReleaseRow,
    ) -> Self {
        Self {
            placement,
            target,
            release,
            purpose: Purpose::Migrate,
            deployment: None,
            trace: None,
        }
    }
}

impl HostJob<'_> {
    fn built(&self) -> Result<&Built, StoreError> {
        let built = self.release.built.as_ref();
        built.ok_or_else(|| {
            StoreError::inconsistent(
                "release",
                self.release.id,
                "it is ordered to a host and not built",
            )
        })
    }

    fn body(&self, app: &App, number: i64, order: Order) -> JobBody {
        JobBody {
            v: pointsman_shared::wire::VERSION,
            job: JobId(app.ids.next()),
            number,
            installation: app.config.installation.name.clone(),
            audience: Audience::Host(self.placement.host.clone()),
            project: self.target.name.project.clone(),
            project_id: self.target.project,
            environment: Some(self.target.name.environment.clone()),
            target_id: Some(self.target.id),
            deployment: self.deployment,
            inputs: request_build::recipe_input(self.release),
            order,
        }
    }
}

/// Orders a release to a host; a collection that names it is called off.
pub async fn install(app: &App, tx: &mut Transaction, wish: &HostJob<'_>) -> OperationResult<()> {
    let built = wish.built()?;
    let order = InstallOrder {
        placement: wish.placement.id,
        root: wish.placement.root.clone(),
        release: wish.release.id,
        folder: built.folder.clone(),
        manifest: built.manifest,
        archive: built.archive,
        packing: built.packing,
        archive_bytes: built.archive_bytes,
        total_bytes: built.total_bytes,
        entries: built.entries,
        shared: wish.release.recipe.shared.clone(),
        log_stream: StreamId(app.ids.next()),
    };
    let is_free = order_collection::call_off(app, tx, wish.placement, &order.folder).await?;
    let order = Order::Install(Box::new(order));
    if is_free {
        return offer(app, tx, wish, order).await;
    }
    // It stays queued until the collection is over.
    insert(app, tx, wish, order).await.map(drop)
}

/// Orders a switch with the next generation of the placement. It takes the place of one that nobody works on; false =
/// another switch or a collection of this release runs there, and nothing was ordered.
pub async fn switch(
    app: &App,
    tx: &mut Transaction,
    wish: &HostJob<'_>,
    back: bool,
) -> OperationResult<bool> {
    let built = wish.built()?;
    for open in jobs::open_of_placement(tx, wish.placement.id).await? {
        if !open.kind.is_switch() {
            continue;
        }
        let reason = format!("a newer decision for {}", wish.placement.host);
        if !supersede_job::when_idle(app, tx, open.id, &reason).await? {
            return Ok(false);
        }
    }
    if !order_collection::call_off(app, tx, wish.placement, &built.folder).await? {
        return Ok(false);
    }
    let order = SwitchOrder {
        placement: wish.placement.id,
        root: wish.placement.root.clone(),
        slot: SlotName::current(),
        generation: placements::allocate_generation(tx, wish.placement.id).await?,
        release: wish.release.id,
        folder: built.folder.clone(),
        label: wish.release.label.clone(),
        commit: wish.release.commit.clone(),
        manifest: built.manifest,
        hooks: wish.release.recipe.hooks.clone(),
        health: wish.release.recipe.health.clone(),
        log_stream: StreamId(app.ids.next()),
    };
    let order = Box::new(order);
    let order = if back {
        Order::Rollback(order)
    } else {
        Order::Activate(order)
    };
    offer(app, tx, wish, order).await?;
    Ok(true)
}

/// What is to be done with a release's migrations.
#[derive(Debug, Clone, Copy)]
pub struct MigrationWork<'a> {
    /// Which phase.
    pub phase: MigrationPhase,
    /// What.
    pub mode: MigrateMode,
    /// Which ones; none = all that the ledger lacks.
    pub migrations: &'a [MigrationRef],
}

/// Orders work on the migrations of a release; returns the job, which is only written, not yet offered.
pub async fn migrate(
    app: &App,
    tx: &mut Transaction,
    wish: &HostJob<'_>,
    work: MigrationWork<'_>,
) -> OperationResult<JobRow> {
    let runner = wish.release.recipe.migrations.runner(work.phase);
    let runner = runner.ok_or_else(|| {
        let what = format!("it has no {}-migrations and they are ordered", work.phase);
        StoreError::inconsistent("release", wish.release.id, what)
    })?;
    let order = MigrateOrder {
        placement: wish.placement.id,
        root: wish.placement.root.clone(),
        release: wish.release.id,
        folder: wish.built()?.folder.clone(),
        mode: work.mode,
        phase: work.phase,
        migrations: work.migrations.to_vec(),
        runner: runner.clone(),
        log_stream: StreamId(app.ids.next()),
    };
    insert(app, tx, wish, Order::Migrate(Box::new(order))).await
}

async fn insert(
    app: &App,
    tx: &mut Transaction,
    wish: &HostJob<'_>,
    order: Order,
) -> OperationResult<JobRow> {
    let number = jobs::reserve_number(tx).await?;
    let body = wish.body(app, number, order);
    let at = pointsman_store::now(tx).await?;
    let new = jobs::NewJob {
        body: &body,
        purpose: wish.purpose,
        max_epochs: EPOCHS,
        trace: wish.trace,
        at,
    };
    Ok(jobs::insert(tx, &new).await?)
}

async fn offer(app: &App, tx: &mut Transaction, wish: &HostJob<'_>, order: Order) -> OperationResult<()> {
    let job = insert(app, tx, wish, order).await?;
    let state = offer_job::offer_or_defer(app, tx, &job).await?;
    debug_assert!(
        matches!(state, JobState::Offered | JobState::Deferred),
        "{state:?}"
    );
    Ok(())
}
