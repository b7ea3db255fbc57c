//! Writing a job: only from the state and epoch it was read in, so that a forgotten lock shows itself.

use chrono::{DateTime, Utc};
use pointsman_domain::job::{CancelRequest, Job, State};
use pointsman_shared::ids::{Epoch, JobId};
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::from_agent::DeclineReason;
use sqlx::PgConnection;

use super::row::JobRow;
use crate::{StoreError, StoreResult};

/// What is written beside a state: why it waits, or how it ended.
#[derive(Debug, Clone, Default)]
pub struct Remark {
    /// Why it waits, failed or ended, for people.
    pub reason: Option<String>,
    /// Stable code of a failure.
    pub code: Option<String>,
    /// Outcome of its final epoch.
    pub outcome: Option<Outcome>,
    /// Who wanted it to end, when nobody worked on it.
    pub cancel: Option<CancelRequest>,
}

/// Writes `after` over the row that `before` was read from.
pub async fn save(
    conn: &mut PgConnection,
    before: &JobRow,
    after: &Job,
    remark: &Remark,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let state = after.state.name();
    let (offer_until, lease, instance, worker, cancel) = columns_of(before, &after.state);
    let granted = after.epoch != before.epoch;
    let outcome = remark.outcome.as_ref().map(serde_json::to_value).transpose();
    let cancel = remark
        .cancel
        .as_ref()
        .or(cancel)
        .map(serde_json::to_value)
        .transpose();
    let unwritable = |error| StoreError::inconsistent("job", before.id, error);
    let done = sqlx::query!(
        "UPDATE job SET state = $4, epoch = $5,
             offered_at = CASE WHEN $6::timestamptz IS NOT NULL THEN $15 ELSE offered_at END,
             offer_expires_at = COALESCE($6, offer_expires_at),
             lease_until = $7, instance_id = $8, worker_id = COALESCE($9, worker_id), cancel_requested = $10,
             reason = $11, code = $12, outcome = COALESCE($13, outcome),
             started_at = CASE WHEN $14 THEN $15 ELSE started_at END,
             waiting_since = CASE WHEN $4 = 'offered' THEN waiting_since END,
             declined = CASE WHEN $4 = 'offered' THEN declined ELSE '{}' END,
             ended_at = CASE WHEN $16 THEN $15 END
         WHERE id = $1 AND state = $2 AND epoch = $3",
        before.id.0,
        before.state.as_str(),
        epoch_column(before.epoch),
        state.as_str(),
        epoch_column(after.epoch),
        offer_until,
        lease,
        instance,
        worker,
        cancel.map_err(unwritable)?,
        remark.reason,
        remark.code,
        outcome.map_err(unwritable)?,
        granted,
        now,
        state.is_final(),
    )
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreError::inconsistent(
        "job",
        before.id,
        "it changed although it was locked",
    ))
}

type StateColumns<'a> = (
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<uuid::Uuid>,
    Option<&'a str>,
    Option<&'a CancelRequest>,
);

fn columns_of<'a>(before: &'a JobRow, state: &'a State) -> StateColumns<'a> {
    match state {
        State::Offered { until } => (Some(*until), None, None, None, None),
        State::Running {
            worker,
            instance,
            lease_until,
            cancel,
        } => (
            None,
            Some(*lease_until),
            Some(instance.0),
            Some(worker.as_str()),
            cancel.as_ref(),
        ),
        State::Queued | State::Deferred | State::Indeterminate | State::Ended(_) => {
            (None, None, None, None, before.cancel_requested.as_ref())
        }
    }
}

/// Notes that a host did not take the newest offer.
pub async fn decline(
    conn: &mut PgConnection,
    job: JobId,
    host: &HostId,
    why: &DeclineReason,
) -> StoreResult<()> {
    let why = serde_json::to_value(why).map_err(|error| StoreError::inconsistent("job", job, error))?;
    sqlx::query!(
        "UPDATE job SET declined = declined || jsonb_build_object($2::text, $3::jsonb) WHERE id = $1",
        job.0,
        host.as_str(),
        why,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets that a host did not take offers: it is a new process.
pub async fn forget_declines(conn: &mut PgConnection, host: &HostId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE job SET declined = declined - $1 WHERE state = 'offered' AND declined ? $1",
        host.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets that a host did not take one job's offers.
pub async fn forget_decline(conn: &mut PgConnection, job: JobId, host: &HostId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE job SET declined = declined - $2 WHERE id = $1",
        job.0,
        host.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets the newest offer of a job end earlier.
pub async fn shorten_offer(conn: &mut PgConnection, job: JobId, until: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE job SET offer_expires_at = LEAST(offer_expires_at, $2) WHERE id = $1 AND state = 'offered'",
        job.0,
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Counts an offer that came back unread.
pub async fn count_dead_offer(conn: &mut PgConnection, job: JobId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE job SET dead_offers = dead_offers + 1 WHERE id = $1",
        job.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes since when nobody who could take it is seen (none = somebody is), and why it waits.
pub async fn note_waiting(
    conn: &mut PgConnection,
    job: JobId,
    since: Option<DateTime<Utc>>,
    reason: Option<&str>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE job SET waiting_since = $2, reason = $3 WHERE id = $1 AND state = 'offered'",
        job.0,
        since,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Says why nobody knows what a job did.
pub async fn note_unknown(conn: &mut PgConnection, job: JobId, reason: &str) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE job SET reason = $2 WHERE id = $1 AND state = 'indeterminate' AND reason IS DISTINCT FROM $2",
        job.0,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a result came too late to change anything.
pub async fn mark_late(conn: &mut PgConnection, job: JobId) -> StoreResult<()> {
    sqlx::query!("UPDATE job SET late_result = true WHERE id = $1", job.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) fn epoch_column(epoch: Epoch) -> i32 {
    i32::try_from(epoch.0).unwrap_or(i32::MAX)
}

/// Lets every standing offer end now: the queues they lay in are gone.
pub async fn void_offers(conn: &mut PgConnection) -> StoreResult<()> {
    sqlx::query!("UPDATE job SET offer_expires_at = LEAST(offer_expires_at, now()) WHERE state = 'offered'")
        .execute(conn)
        .await?;
    Ok(())
}

/// Stops counting how long nobody was there who could start these jobs: a host of their audience is here.
pub async fn end_waiting(conn: &mut PgConnection, host: &HostId, pools: &[String]) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE job SET waiting_since = NULL
         WHERE state = 'offered' AND waiting_since IS NOT NULL AND (host_id = $1 OR pool = ANY ($2))",
        host.as_str(),
        pools,
    )
    .execute(conn)
    .await?;
    Ok(())
}
