//! Looks after migrations outside deployments: looks into a ledger where a run's end was not seen, begins runs whose
//! release has arrived, lists what a newly live release brought, and starts or recalls post-migrations when their time
//! has come.
//!
//! Level-triggered, one target in one transaction under its lock. It repeats looks, never a run.

use pointsman_domain::migrations::{next_look, post_due};
use pointsman_domain::recipe::{PostMigrations, PostStart};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::ids::{JobId, ReleaseId};
use pointsman_shared::migration::{MigrationPhase, MigrationState};
use pointsman_shared::wire::job::{MigrateMode, Order};
use pointsman_store::events::NewEvent;
use pointsman_store::jobs::JobRow;
use pointsman_store::migrations::{self, Run};
use pointsman_store::releases::ReleaseRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, deployments, events, jobs, locks, placements, releases, targets};

use super::order_host_job::{self, HostJob, MigrationWork};
use super::{act, cancel_job, find_runner, offer_job, record_ledger, supersede_job};
use crate::app::App;
use crate::error::OperationResult;

/// Looks at every target.
pub async fn tend_all(app: &App) -> OperationResult<()> {
    let all = targets::all(&mut *app.store.read().await?).await?;
    for target in all {
        if let Err(error) = tend_target(app, &target).await {
            tracing::warn!(target = %target.name, error = &error as &dyn std::error::Error, "a target's migrations could not be tended");
        }
    }
    Ok(())
}

async fn tend_target(app: &App, target: &TargetRow) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    if !targets::try_lock(&mut tx, target.id).await? {
        app.bells.reconcile_soon();
        return Ok(());
    }
    let changed = tend(app, &mut tx, target).await?;
    act::commit(tx).await?;
    if changed {
        app.bells.ring();
    }
    Ok(())
}

async fn tend(app: &App, tx: &mut Transaction, target: &TargetRow) -> OperationResult<bool> {
    let runs = migrations::runs(tx, target.id).await?;
    if let Some(active) = runs.iter().find(|run| run.is_active()) {
        return move_on(app, tx, target, active).await;
    }
    // Newest first: the oldest waits longest.
    if let Some(waiting) = runs.iter().rfind(|run| run.is_open()) {
        return begin(app, tx, waiting.job).await;
    }
    if let Some(unknown) = runs.iter().find(|run| run.is_indeterminate()) {
        return look_into(app, tx, target, unknown, &runs).await;
    }
    let now = pointsman_store::now(tx).await?;
    let is_open = deployments::open_of_target(tx, target.id)
        .await?
        .iter()
        .any(|deployment| deployment.started);
    if is_open || locks::held_lock(tx, target.id, now).await?.is_some() {
        return Ok(false);
    }
    tend_post(app, tx, target, &runs).await
}

/// What nobody asked for in person waits for no absent host while another one could do it: everything else would wait
/// behind it. The next look at the target chooses again.
async fn move_on(app: &App, tx: &mut Transaction, target: &TargetRow, run: &Run) -> OperationResult<bool> {
    let (JobState::Deferred, Some(release)) = (run.state, run.release) else {
        return Ok(false);
    };
    if !run.is_look() && !is_automatic(tx, run, release).await? {
        return Ok(false);
    }
    let placements = placements::of_target(tx, target.id).await?;
    let named = migrations::live_since(tx, target.id).await?.host;
    let other = find_runner::choose(app, tx, &placements, release, named.as_ref(), None).await?;
    let before = jobs::get(tx, run.job).await?.and_then(|job| job.placement);
    match other.filter(|other| other.has_release && Some(other.placement.id) != before) {
        Some(other) => {
            let reason = format!("its host is away; {} does it instead", other.placement.host);
            supersede_job::when_idle(app, tx, run.job, &reason).await
        }
        None => Ok(false),
    }
}

/// Whether the coordinator begins such runs by itself.
async fn is_automatic(tx: &mut Transaction, run: &Run, release: ReleaseId) -> OperationResult<bool> {
    if (run.phase, run.mode) != (MigrationPhase::Post, MigrateMode::Apply) {
        return Ok(false);
    }
    let release = releases::get(tx, release).await?;
    let post = release.and_then(|release| release.recipe.migrations.post);
    Ok(post.is_some_and(|post| post.start == PostStart::Auto))
}

/// A run waits until nobody else is at the ledger and its release lies on its host.
async fn begin(app: &App, tx: &mut Transaction, job: JobId) -> OperationResult<bool> {
    let Some(job) = jobs::lock(tx, job).await? else {
        return Ok(false);
    };
    let (JobState::Queued, Some(placement), Some(release)) = (job.state, job.placement, job.release) else {
        return Ok(false);
    };
    if placements::has_release(tx, placement, release).await? {
        offer_job::offer_or_defer(app, tx, &job).await?;
        return Ok(true);
    }
    match placements::newest_try(tx, placement, release).await? {
        Some(JobState::Failed | JobState::Cancelled | JobState::Superseded) | None => {
            let reason = "its release could not be brought to the host; see the install before it";
            cancel_job::request(app, tx, &job, "coordinator", reason).await?;
            Ok(true)
        }
        Some(
            JobState::Queued
            | JobState::Offered
            | JobState::Running
            | JobState::Deferred
            | JobState::Indeterminate
            | JobState::Succeeded
            | JobState::Abandoned,
        ) => Ok(false),
    }
}

async fn look_into(
    app: &App,
    tx: &mut Transaction,
    target: &TargetRow,
    unknown: &Run,
    runs: &[Run],
) -> OperationResult<bool> {
    let Some(release) = unknown.release else {
        return Ok(false);
    };
    let looks = || {
        let since = runs.iter().filter(|run| run.number > unknown.number);
        since.filter(|run| run.is_look() && run.phase == unknown.phase)
    };
    let newest = looks().filter_map(|run| run.ended_at).max();
    if next_look(newest, looks().count()) > pointsman_store::now(tx).await? {
        return Ok(false);
    }
    let Some(job) = jobs::get(tx, unknown.job).await? else {
        return Ok(false);
    };
    if let Order::Migrate(order) = &job.parsed_body()?.order
        && record_ledger::may_go_on(tx, &job, order).await?
    {
        let why = "its agent may still run it; when that was started again, the project's list is read";
        jobs::note_unknown(tx, job.id, why).await?;
        return Ok(false);
    }
    let before = job.worker;
    let named = migrations::live_since(tx, target.id).await?.host;
    let placements = placements::of_target(tx, target.id).await?;
    let named = named.as_ref();
    let runner = find_runner::choose(app, tx, &placements, release, named, before.as_ref()).await?;
    let Some(runner) = runner.filter(|runner| runner.has_release) else {
        return Ok(false);
    };
    let Some(release) = releases::get(tx, release).await? else {
        return Ok(false);
    };
    let wish = HostJob::on_migrations(&runner.placement, target, &release);
    offer(app, tx, &wish, unknown.phase, MigrateMode::List).await?;
    Ok(true)
}

async fn tend_post(
    app: &App,
    tx: &mut Transaction,
    target: &TargetRow,
    runs: &[Run],
) -> OperationResult<bool> {
    let live = migrations::live_since(tx, target.id).await?;
    // Read again under the lock.
    let desired = targets::get(tx, target.id)
        .await?
        .and_then(|target| target.desired);
    let (Some(desired), Some(since)) = (desired, live.since) else {
        return Ok(false);
    };
    let release = releases::get(tx, desired).await?;
    let Some(release) = release.filter(|release| release.state == ReleaseState::Built) else {
        return Ok(false);
    };
    let Some(post) = release.recipe.migrations.post.clone() else {
        return Ok(false);
    };
    let placements = placements::of_target(tx, target.id).await?;
    let runner = find_runner::choose(app, tx, &placements, desired, live.host.as_ref(), None).await?;
    let Some(runner) = runner.filter(|runner| runner.has_release) else {
        return Ok(false);
    };
    let wish = HostJob::on_migrations(&runner.placement, target, &release);
    let is_of = |run: &&Run| {
        run.phase == MigrationPhase::Post && run.release == Some(desired) && run.created_at >= since
    };
    if !runs.iter().any(|run| is_of(&run)) {
        offer(app, tx, &wish, MigrationPhase::Post, MigrateMode::List).await?;
        return Ok(true);
    }
    let now = pointsman_store::now(tx).await?;
    let pending = pending(tx, target, desired).await?;
    if pending.is_empty() || post_due(since, post.after_s) > now {
        return Ok(false);
    }
    match post {
        // What failed once is not tried again by itself.
        PostMigrations {
            start: PostStart::Auto,
            ..
        } if !runs
            .iter()
            .any(|run| is_of(&run) && !run.is_look() && run.state != JobState::Superseded) =>
        {
            offer(app, tx, &wish, MigrationPhase::Post, MigrateMode::Apply).await?;
            Ok(true)
        }
        PostMigrations { .. } if live.reminded => Ok(false),
        PostMigrations { .. } => remind(tx, target, &release, &pending).await,
    }
}

/// The live release's post-migrations that the ledger does not have.
async fn pending(
    tx: &mut Transaction,
    target: &TargetRow,
    release: ReleaseId,
) -> OperationResult<Vec<String>> {
    let known = migrations::of_target(tx, target.id).await?;
    let own = migrations::of_release(tx, release).await?;
    let is_pending = |name: &_| {
        let entry = known
            .iter()
            .find(|known| known.phase == MigrationPhase::Post && known.name == *name);
        entry.is_none_or(|known| known.state == MigrationState::Pending)
    };
    Ok(own
        .into_iter()
        .filter(|own| own.phase == MigrationPhase::Post && is_pending(&own.name))
        .map(|own| own.name.to_string())
        .collect())
}

async fn remind(
    tx: &mut Transaction,
    target: &TargetRow,
    release: &ReleaseRow,
    pending: &[String],
) -> OperationResult<bool> {
    let now = pointsman_store::now(tx).await?;
    let name = target.name.to_string();
    let event = NewEvent {
        kind: "migrations.due",
        project: Some(target.name.project.as_str()),
        target: Some(&name),
        message: format!(
            "{name}: {} post-migrations of {} may run now ({}); start them with `pointsman migrations apply {name} --phase post`",
            pending.len(),
            release.label,
            pending.join(", ")
        ),
        ..NewEvent::default()
    };
    events::append(tx, now, &event).await?;
    migrations::note_reminded(tx, target.id).await?;
    Ok(true)
}

async fn offer(
    app: &App,
    tx: &mut Transaction,
    wish: &HostJob<'_>,
    phase: MigrationPhase,
    mode: MigrateMode,
) -> OperationResult<JobRow> {
    let work = MigrationWork {
        phase,
        mode,
        migrations: &[],
    };
    let job = order_host_job::migrate(app, tx, wish, work).await?;
    offer_job::offer_or_defer(app, tx, &job).await?;
    Ok(job)
}
