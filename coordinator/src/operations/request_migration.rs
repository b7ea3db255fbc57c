//! Asks for work on a target's migrations by hand: pre-migrations long before a deployment, post-migrations when their
//! time has come, a way back, a look, or a person's word about one whose end nobody saw.

use chrono::{DateTime, Utc};
use pointsman_domain::deployment::DeploymentKind;
use pointsman_domain::migrations::post_due;
use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_shared::api::migrations::MigrationRequest;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::migration::{MigrationName, MigrationPhase};
use pointsman_shared::name::TargetName;
use pointsman_shared::wire::job::{MigrateMode, MigrationRef, MigrationRunner};
use pointsman_store::migrations::{self, LiveSince, ReleaseMigration, Run};
use pointsman_store::releases::ReleaseRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, Transaction, deployments, placements, releases, targets};

use super::order_host_job::{self, HostJob, MigrationWork};
use super::{act, find_release, find_runner, judge_target, offer_job, request_deployment, sync_placements};
use crate::app::App;
use crate::error::OperationResult;

/// Asks for it; returns the number of the job.
pub async fn execute(
    app: &App,
    actor: &Actor,
    target: &TargetName,
    wish: &MigrationRequest,
) -> OperationResult<i64> {
    let object = target.to_string();
    let number = act::audited(app, actor, "migration.request", &object, async {
        actor.authorize_in(&target.project, Action::Deploy, &object)?;
        reason::judge("reason", wish.reason.as_deref())?;
        let (target, project) = request_deployment::target_of(app, target).await?;
        let asked = match &wish.release {
            Some(spec) => Some(find_release::known(app, &project, spec).await?),
            None => None,
        };
        let mut tx = app.store.begin().await?;
        let number = request(app, &mut tx, actor, &target, wish, asked).await?;
        act::commit(tx).await?;
        Ok(number)
    })
    .await?;
    app.bells.ring();
    Ok(number)
}

async fn request(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    wish: &MigrationRequest,
    asked: Option<ReleaseId>,
) -> OperationResult<i64> {
    targets::lock(tx, target.id).await?;
    let changes = match wish.mode {
        MigrateMode::Apply | MigrateMode::Revert => true,
        MigrateMode::List | MigrateMode::MarkApplied | MigrateMode::MarkPending => false,
    };
    refuse_when_busy(tx, target, changes).await?;
    if changes {
        judge_target::refuse_when_locked(tx, target, DeploymentKind::Deploy).await?;
    }
    let live = migrations::live_since(tx, target.id).await?;
    let desired = targets::get(tx, target.id)
        .await?
        .and_then(|target| target.desired);
    let release = release(tx, target, wish, asked, desired).await?;
    let own = migrations::of_release(tx, release.id).await?;
    let chosen = chosen(tx, target, &release, &own, wish).await?;
    judge(tx, target, &release, &own, wish, &live, desired).await?;
    sync_placements::sync(app, tx, target).await?;
    let placements = placements::of_target(tx, target.id).await?;
    let runner = find_runner::choose(app, tx, &placements, release.id, live.host.as_ref(), None).await?;
    let runner = runner.ok_or_else(|| {
        let what = format!("{} has no host to run migrations on", target.name);
        Refusal::conflict("no_hosts", what).hint("pointsman hosts")
    })?;
    let host_job = HostJob {
        trace: actor.trace.as_ref(),
        ..HostJob::on_migrations(&runner.placement, target, &release)
    };
    let number = order(app, tx, &host_job, runner.has_release, wish, &chosen).await?;
    let names: Vec<_> = chosen.iter().map(|one| one.name.as_str()).collect();
    let detail = serde_json::json!({
        "job": number, "release": release.label, "phase": wish.phase, "mode": wish.mode, "migrations": names,
        "reason": wish.reason,
    });
    act::done(
        app,
        tx,
        actor,
        "migration.request",
        &target.name.to_string(),
        detail,
    )
    .await?;
    Ok(number)
}

async fn refuse_when_busy(tx: &mut Transaction, target: &TargetRow, changes: bool) -> OperationResult<()> {
    let runs = migrations::runs(tx, target.id).await?;
    // A look is short: what is asked for waits for its end.
    if let Some(open) = runs.iter().find(|run| run.is_open() && !run.is_look()) {
        let what = format!("job #{} works on the migrations of {}", open.number, target.name);
        return Err(Refusal::conflict("migration_open", what)
            .hint(format!("pointsman logs -f --job {}", open.number))
            .into());
    }
    if !changes {
        return Ok(());
    }
    if let Some(unknown) = runs.iter().find(|run| run.is_indeterminate()) {
        let what = format!(
            "nobody knows yet what job #{} did to the database",
            unknown.number
        );
        return Err(Refusal::conflict("migration_indeterminate", what)
            .hint(format!("pointsman jobs show {}", unknown.number))
            .into());
    }
    let open = deployments::open_of_target(tx, target.id).await?;
    match open.iter().find(|open| open.started) {
        None => Ok(()),
        Some(open) => {
            let what = format!("deployment #{} of {} is open", open.number, target.name);
            Err(Refusal::conflict("deployment_open", what)
                .hint(format!("pointsman watch {}", open.number))
                .into())
        }
    }
}

/// The release that was named; else the live one; for a way back the newest one that knows it.
async fn release(
    tx: &mut Transaction,
    target: &TargetRow,
    wish: &MigrationRequest,
    asked: Option<ReleaseId>,
    desired: Option<ReleaseId>,
) -> OperationResult<ReleaseRow> {
    let knows = match (&wish.migration, wish.mode) {
        (Some(name), MigrateMode::Revert | MigrateMode::MarkApplied | MigrateMode::MarkPending) => {
            migrations::newest_with(tx, target.project, wish.phase, name).await?
        }
        _ => None,
    };
    let id = asked.or(knows).or(desired).ok_or_else(|| {
        let what = format!("nothing is live in {} yet", target.name);
        Refusal::conflict("nothing_live", what).hint("name the release: --release 1.9.1")
    })?;
    let release = releases::get(tx, id)
        .await?
        .ok_or_else(|| StoreError::inconsistent("release", id, "it was found and does not exist"))?;
    find_release::judge(&release)?;
    if release.built.is_none() {
        let what = format!("release {} is not built yet", release.label);
        return Err(Refusal::conflict("release_not_built", what)
            .hint("wait for its build")
            .into());
    }
    Ok(release)
}

/// The migrations the wish is about; none = all that are pending.
async fn chosen(
    tx: &mut Transaction,
    target: &TargetRow,
    release: &ReleaseRow,
    own: &[ReleaseMigration],
    wish: &MigrationRequest,
) -> OperationResult<Vec<MigrationRef>> {
    let Some(name) = &wish.migration else {
        return match wish.mode {
            MigrateMode::Apply | MigrateMode::List => Ok(Vec::new()),
            MigrateMode::Revert | MigrateMode::MarkApplied | MigrateMode::MarkPending => Err(
                Refusal::invalid("migration_missing", "it needs the name of a migration")
                    .hint(format!("pointsman migrations ls {}", target.name))
                    .into(),
            ),
        };
    };
    let known = migrations::of_target(tx, target.id).await?;
    let is_it = |phase: MigrationPhase, other: &MigrationName| phase == wish.phase && other == name;
    let found = own.iter().find(|own| is_it(own.phase, &own.name));
    if found.is_none() && !known.iter().any(|known| is_it(known.phase, &known.name)) {
        let what = format!("release {} has no {}-migration {name}", release.label, wish.phase);
        return Err(Refusal::not_found("unknown_migration", what)
            .hint(format!("pointsman migrations ls {}", target.name))
            .into());
    }
    // A project's own tool has no script that we know; its name is all there is to agree on.
    let checksum = found
        .and_then(|own| own.checksum)
        .unwrap_or_else(|| Digest::of(name.as_str().as_bytes()));
    Ok(vec![MigrationRef {
        name: name.clone(),
        checksum,
    }])
}

async fn judge(
    tx: &mut Transaction,
    target: &TargetRow,
    release: &ReleaseRow,
    own: &[ReleaseMigration],
    wish: &MigrationRequest,
    live: &LiveSince,
    desired: Option<ReleaseId>,
) -> OperationResult<()> {
    let of_recipe = &release.recipe.migrations;
    let Some(runner) = of_recipe.runner(wish.phase) else {
        let what = format!(
            "the recipe of release {} has no {}-migrations",
            release.label, wish.phase
        );
        return Err(Refusal::conflict("no_migrations", what)
            .hint(format!(
                "add `[migrations.{}]` to the recipe of a newer release",
                wish.phase
            ))
            .into());
    };
    match (wish.mode, wish.phase) {
        (MigrateMode::Apply, MigrationPhase::Post) => {
            let after_s = of_recipe.post.as_ref().map_or(0, |post| post.after_s);
            let now = pointsman_store::now(tx).await?;
            Ok(refuse_too_early(
                target, release, desired, live.since, after_s, now,
            )?)
        }
        (MigrateMode::Revert, phase) => {
            let name = wish.migration.as_ref();
            let one_way = own
                .iter()
                .find(|own| own.phase == phase && Some(&own.name) == name);
            if let Some(one_way) = one_way.filter(|own| !own.reversible) {
                return Err(refuse_one_way(release, runner, &one_way.name).into());
            }
            if phase == MigrationPhase::Pre && name.is_some() {
                refuse_needed(tx, target, desired, wish).await?;
            }
            Ok(())
        }
        (
            MigrateMode::Apply | MigrateMode::List | MigrateMode::MarkApplied | MigrateMode::MarkPending,
            MigrationPhase::Pre | MigrationPhase::Post | MigrationPhase::Hard,
        ) => Ok(()),
    }
}

fn refuse_too_early(
    target: &TargetRow,
    release: &ReleaseRow,
    desired: Option<ReleaseId>,
    since: Option<DateTime<Utc>>,
    after_s: u64,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let (true, Some(since)) = (desired == Some(release.id), since) else {
        let what = format!("release {} is not live in {}", release.label, target.name);
        return Err(Refusal::conflict("release_not_live", what)
            .hint("post-migrations run once their release has been live for a while"));
    };
    let due = post_due(since, after_s);
    if due <= now {
        return Ok(());
    }
    let what = format!(
        "post-migrations of {} may run from {} on: it has to be live for a while first",
        release.label,
        due.format("%F %T UTC")
    );
    Err(Refusal::conflict("too_early", what).hint("until then the way back to the release before stays open"))
}

fn refuse_one_way(release: &ReleaseRow, runner: &MigrationRunner, name: &MigrationName) -> Refusal {
    let what = format!("{name} of release {} has no way back", release.label);
    let hint = match runner {
        MigrationRunner::Sql { folder, .. } => format!("add {folder}/{name}.down.sql in a newer release"),
        MigrationRunner::Commands { .. } => {
            "name a `revert` command in the recipe of a newer release".to_owned()
        }
    };
    Refusal::conflict("no_way_back", what).hint(hint)
}

/// What is live needs its pre-migrations.
async fn refuse_needed(
    tx: &mut Transaction,
    target: &TargetRow,
    desired: Option<ReleaseId>,
    wish: &MigrationRequest,
) -> OperationResult<()> {
    let placements = placements::of_target(tx, target.id).await?;
    let confirmed = placements.iter().filter_map(|placement| placement.confirmed);
    for id in desired.into_iter().chain(confirmed) {
        let own = migrations::of_release(tx, id).await?;
        let needs = |own: &ReleaseMigration| {
            own.phase == MigrationPhase::Pre && Some(&own.name) == wish.migration.as_ref()
        };
        if own.iter().any(needs)
            && let Some(release) = releases::get(tx, id).await?
        {
            let what = format!("release {} is live and needs it", release.label);
            return Err(Refusal::conflict("migration_needed", what)
                .hint("roll back to a release without it first")
                .into());
        }
    }
    Ok(())
}

async fn order(
    app: &App,
    tx: &mut Transaction,
    host_job: &HostJob<'_>,
    has_release: bool,
    wish: &MigrationRequest,
    chosen: &[MigrationRef],
) -> OperationResult<i64> {
    if !has_release {
        // The run stays queued until the release has arrived; `tend_migrations` offers it.
        order_host_job::install(app, tx, host_job).await?;
    }
    let work = MigrationWork {
        phase: wish.phase,
        mode: wish.mode,
        migrations: chosen,
    };
    let job = order_host_job::migrate(app, tx, host_job, work).await?;
    let is_free = !migrations::runs(tx, host_job.target.id)
        .await?
        .iter()
        .any(Run::is_active);
    if has_release && is_free {
        offer_job::offer_or_defer(app, tx, &job).await?;
    }
    Ok(job.number)
}
