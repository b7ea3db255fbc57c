//! Judges whether a target may go back to a release, and clears the way: a run at its ledger that could take away what
//! the older release needs is called off, or refuses while it may be running.

use pointsman_domain::{Refusal, rollback};
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::wire::job::MigrateMode;
use pointsman_store::migrations::{self, Run};
use pointsman_store::releases::ReleaseRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, Transaction, good_releases, releases};

use super::supersede_job;
use crate::app::App;
use crate::error::OperationResult;

/// The release, when the locked target may go back to it.
pub(super) async fn execute(
    app: &App,
    tx: &mut Transaction,
    target: &TargetRow,
    release: ReleaseId,
) -> OperationResult<ReleaseRow> {
    let row = judge(tx, target, release).await?;
    for run in migrations::runs(tx, target.id).await? {
        if takes_away(&run, release) {
            call_off(app, tx, &run, &row).await?;
        }
    }
    Ok(row)
}

/// The same, without clearing the way.
pub(super) async fn judge(
    tx: &mut Transaction,
    target: &TargetRow,
    release: ReleaseId,
) -> OperationResult<ReleaseRow> {
    let row = releases::get(tx, release)
        .await?
        .ok_or_else(|| StoreError::inconsistent("release", release, "it is good and does not exist"))?;
    let good = good_releases::of_target(tx, target.id)
        .await?
        .iter()
        .any(|good| good.id == release);
    let name = target.name.to_string();
    let forbidding = good_releases::forbidding_migrations(tx, target.id, release).await?;
    rollback::judge(&row.label, row.state, good, &forbidding, &name)?;
    let missing = good_releases::missing_migrations(tx, target.id, release).await?;
    rollback::judge_missing(&row.label, &missing, &name)?;
    Ok(row)
}

/// Refuses a deployment that is a way back behind an applied post-migration. A release that was never live there is
/// judged by whoever built it: it may have dropped scripts that are long applied.
pub(super) async fn refuse_forbidden(
    tx: &mut Transaction,
    target: &TargetRow,
    row: &ReleaseRow,
) -> OperationResult<()> {
    let good = good_releases::of_target(tx, target.id).await?;
    if good.iter().any(|good| good.id == row.id) {
        let forbidding = good_releases::forbidding_migrations(tx, target.id, row.id).await?;
        rollback::judge(&row.label, row.state, true, &forbidding, &target.name.to_string())?;
    }
    Ok(())
}

/// Whether an unfinished run may remove what the release needs: post-migrations of another one, or a way back.
fn takes_away(run: &Run, release: ReleaseId) -> bool {
    let removes = match (run.phase, run.mode) {
        (MigrationPhase::Post | MigrationPhase::Hard, MigrateMode::Apply) => run.release != Some(release),
        (MigrationPhase::Pre, MigrateMode::Revert) => true,
        (MigrationPhase::Pre, MigrateMode::Apply)
        | (MigrationPhase::Post | MigrationPhase::Hard, MigrateMode::Revert)
        | (_, MigrateMode::List | MigrateMode::MarkApplied | MigrateMode::MarkPending) => false,
    };
    removes && !run.state.is_final()
}

async fn call_off(app: &App, tx: &mut Transaction, run: &Run, to: &ReleaseRow) -> OperationResult<()> {
    let reason = format!("the target goes back to {}", to.label);
    if supersede_job::when_idle(app, tx, run.job, &reason).await? {
        return Ok(());
    }
    let what = format!(
        "job #{} may be running {}-migrations that release {} cannot live with",
        run.number, run.phase, to.label
    );
    let hint = format!(
        "wait for its end, or cancel it and look at the database: pointsman cancel --job {}",
        run.number
    );
    Err(Refusal::conflict("migration_running", what).hint(hint).into())
}
