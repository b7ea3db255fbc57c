//! Takes a job's result: it counts for the current epoch only (a migration's also while it is indeterminate); any other
//! is kept with its attempt, becomes an event and changes nothing.

use chrono::{DateTime, Utc};
use pointsman_domain::job::JobEvent;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::from_agent::JobResult;
use pointsman_store::events::NewEvent;
use pointsman_store::{Transaction, attempts, events, jobs};

use super::record_report::is_its_epoch;
use super::{change_job, offer_job};
use crate::app::App;
use crate::error::OperationResult;

/// Applies a new result in the transaction of its report.
pub async fn apply(
    app: &App,
    tx: &mut Transaction,
    host: &HostId,
    result: &JobResult,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let job = jobs::lock(tx, result.job).await?;
    let (Some(job), true) = (job, is_its_epoch(tx, host, result.job, result.epoch).await?) else {
        let event = NewEvent {
            kind: "host.stray_result",
            host: Some(host.as_str()),
            message: format!("{host} sent a result of work that was never granted to it"),
            ..NewEvent::default()
        };
        events::append(tx, now, &event).await?;
        return Ok(());
    };
    attempts::note_outcome(tx, job.id, result.epoch, &result.outcome, result.log.as_ref()).await?;
    let event = JobEvent::Result {
        epoch: result.epoch,
        outcome: result.outcome.clone(),
        until: offer_job::offer_until(app, now),
    };
    let changed = change_job::apply(app, tx, &job, event, now).await?;
    if let Some(after) = changed.done() {
        let (number, state) = (after.number, after.state.as_str());
        tracing::info!(job = %job.id, number, epoch = %result.epoch, state, "a result is recorded");
    }
    Ok(())
}
