//! Takes what an agent read in a ledger, page by page; when all are there, every older run at that ledger whose end
//! nobody saw is settled.

use chrono::{DateTime, Utc};
use pointsman_domain::job::JobEvent;
use pointsman_domain::migrations::{Standing, Verdict, judge};
use pointsman_shared::ids::TargetId;
use pointsman_shared::migration::MigrationState;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::from_agent::LedgerPage;
use pointsman_shared::wire::job::{MigrateOrder, MigrationRunner, Order};
use pointsman_store::jobs::JobRow;
use pointsman_store::migrations::{self, KnownMigration, ReleaseMigration};
use pointsman_store::{Transaction, attempts, hosts, jobs};

use super::record_report::is_its_epoch;
use super::{change_job, offer_job};
use crate::app::App;
use crate::error::OperationResult;

/// Applies a page in the transaction of its report. A page that came after a newer look says nothing any more.
pub async fn apply(
    app: &App,
    tx: &mut Transaction,
    host: &HostId,
    page: &LedgerPage,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    if !is_its_epoch(tx, host, page.job, page.epoch).await? {
        return Ok(());
    }
    let Some(job) = jobs::get(tx, page.job).await? else {
        return Ok(());
    };
    let body = job.parsed_body()?;
    let (Order::Migrate(order), Some(target)) = (&body.order, job.target) else {
        return Ok(());
    };
    let newest = migrations::read_by(tx, target, page.phase).await?;
    if order.phase != page.phase || newest.is_some_and(|newest| newest > job.number) {
        return Ok(());
    }
    for entry in &page.entries {
        migrations::note(tx, target, page.phase, entry, job.id, now).await?;
        if entry.own && matches!(order.runner, MigrationRunner::Commands { .. }) {
            let migration = ReleaseMigration {
                phase: page.phase,
                name: entry.name.clone(),
                checksum: None,
                reversible: has_way_back(order),
            };
            migrations::add_to_release(tx, order.release, &migration).await?;
        }
    }
    if migrations::note_page(tx, job.id, page.page).await? < page.pages {
        return Ok(());
    }
    migrations::forget_others(tx, target, page.phase, job.id).await?;
    settle(app, tx, &job, (target, order), now).await
}

const fn has_way_back(order: &MigrateOrder) -> bool {
    matches!(&order.runner, MigrationRunner::Commands { revert: Some(_), .. })
}

/// Whether a run may go on after its lease: the built-in runner holds the ledger's lock as long as it does anything, but
/// a project's own tool has no lock of ours. It ends with its agent; so it is over when that host's agent is another
/// one, or the host is no longer ours.
pub(super) async fn may_go_on(
    tx: &mut Transaction,
    run: &JobRow,
    order: &MigrateOrder,
) -> OperationResult<bool> {
    if matches!(order.runner, MigrationRunner::Sql { .. }) {
        return Ok(false);
    }
    let Some(attempt) = attempts::get(tx, run.id, run.epoch).await? else {
        return Ok(false);
    };
    let host = hosts::get(tx, &attempt.host).await?;
    Ok(host.is_some_and(|host| host.key.is_some() && host.instance == Some(attempt.instance)))
}

/// Whether what one job read tells how another one ended. A project's own tool may list another database, or other
/// migrations, for another release.
fn tells_of(read: &MigrateOrder, run: &MigrateOrder) -> bool {
    read.phase == run.phase
        && read.runner == run.runner
        && (read.release == run.release || matches!(run.runner, MigrationRunner::Sql { .. }))
}

async fn settle(
    app: &App,
    tx: &mut Transaction,
    reader: &JobRow,
    (target, read): (TargetId, &MigrateOrder),
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let known = migrations::of_target(tx, target).await?;
    for run in migrations::runs(tx, target).await? {
        if !run.is_indeterminate() || run.number >= reader.number {
            continue;
        }
        let Some(job) = jobs::lock(tx, run.job).await? else {
            continue;
        };
        let body = job.parsed_body()?;
        let Order::Migrate(order) = &body.order else {
            continue;
        };
        if !tells_of(read, order) || may_go_on(tx, &job, order).await? {
            continue;
        }
        let standing = standing(tx, order, &known).await?;
        let lost = lost(&job);
        match judge(order.mode, &lost, &standing) {
            Verdict::Ended(outcome) => {
                let event = JobEvent::Result {
                    epoch: job.epoch,
                    outcome,
                    until: offer_job::offer_until(app, now),
                };
                change_job::apply(app, tx, &job, event, now).await?;
            }
            Verdict::Unknown { reason } => jobs::note_unknown(tx, job.id, &reason).await?,
        }
    }
    Ok(())
}

fn lost(job: &JobRow) -> String {
    let worker = job.worker.as_ref().map_or("its host", HostId::as_str);
    format!("nobody saw the end of attempt {} on {worker}", job.epoch)
}

/// Where the migrations stand that a run was about.
async fn standing(
    tx: &mut Transaction,
    order: &MigrateOrder,
    known: &[KnownMigration],
) -> OperationResult<Vec<Standing>> {
    let own = migrations::of_release(tx, order.release).await?;
    let own = own.into_iter().filter(|own| own.phase == order.phase);
    let names = if order.migrations.is_empty() {
        own.map(|own| own.name).collect::<Vec<_>>()
    } else {
        order.migrations.iter().map(|one| one.name.clone()).collect()
    };
    let state_of = |name: &_| {
        let entry = known
            .iter()
            .find(|known| known.phase == order.phase && known.name == *name);
        entry.map_or(MigrationState::Pending, |known| known.state)
    };
    Ok(names
        .into_iter()
        .map(|name| {
            let state = state_of(&name);
            (name, state)
        })
        .collect())
}
