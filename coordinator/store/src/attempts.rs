//! Attempts: one row per granted epoch, with the grant's sealed bytes as they were sent.

use chrono::{DateTime, Utc};
use pointsman_domain::job::AttemptEnding;
use pointsman_shared::ids::{Epoch, InstanceId, JobId};
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::Nonce;
use pointsman_shared::wire::from_agent::LogTotal;
use sqlx::PgConnection;

use crate::jobs::epoch_column;
use crate::{StoreError, StoreResult};

/// A granted epoch.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The host it was granted to.
    pub host: HostId,
    /// The process it was granted to.
    pub instance: InstanceId,
    /// The claim's nonce.
    pub nonce: Nonce,
    /// The sealed grant, exactly as it was sent.
    pub granted: Vec<u8>,
    /// Whether it has ended.
    pub ended: bool,
}

/// A grant to write.
#[derive(Debug, Clone, Copy)]
pub struct NewAttempt<'a> {
    /// The job.
    pub job: JobId,
    /// The granted epoch.
    pub epoch: Epoch,
    /// The host.
    pub host: &'a HostId,
    /// The process.
    pub instance: InstanceId,
    /// The claim's nonce.
    pub nonce: &'a Nonce,
    /// The sealed grant.
    pub granted: &'a [u8],
    /// Now.
    pub at: DateTime<Utc>,
}

/// Writes a grant.
pub async fn insert(conn: &mut PgConnection, new: &NewAttempt<'_>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO attempt (job_id, epoch, host_id, instance_id, nonce, granted, granted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new.job.0,
        epoch_column(new.epoch),
        new.host.as_str(),
        new.instance.0,
        new.nonce.0,
        new.granted,
        new.at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The attempt that made this epoch.
pub async fn get(conn: &mut PgConnection, job: JobId, epoch: Epoch) -> StoreResult<Option<Attempt>> {
    let row = sqlx::query!(
        "SELECT host_id, instance_id, nonce, granted, ended_at FROM attempt WHERE job_id = $1 AND epoch = $2",
        job.0,
        epoch_column(epoch),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let host = row
            .host_id
            .parse()
            .map_err(|error| StoreError::inconsistent("attempt", job, error))?;
        Ok(Attempt {
            host,
            instance: InstanceId(row.instance_id),
            nonce: Nonce(row.nonce),
            granted: row.granted,
            ended: row.ended_at.is_some(),
        })
    })
    .transpose()
}

/// Closes an attempt. A result may close again what was lost before (a migration's): the later word stands, and that it
/// was lost stays counted.
pub async fn end(
    conn: &mut PgConnection,
    job: JobId,
    epoch: Epoch,
    how: AttemptEnding,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE attempt SET ended_at = $4, ending = $3,
                lost_at = CASE WHEN $3 = 'lost' THEN COALESCE(lost_at, $4) ELSE lost_at END
         WHERE job_id = $1 AND epoch = $2",
        job.0,
        epoch_column(epoch),
        how.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what an agent said of an epoch, late or not, and how much log it wrote.
pub async fn note_outcome(
    conn: &mut PgConnection,
    job: JobId,
    epoch: Epoch,
    outcome: &Outcome,
    log: Option<&LogTotal>,
) -> StoreResult<()> {
    let outcome =
        serde_json::to_value(outcome).map_err(|error| StoreError::inconsistent("attempt", job, error))?;
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    sqlx::query!(
        "UPDATE attempt SET outcome = $3, log_last_seq = COALESCE($4, log_last_seq), log_lines = COALESCE($5, log_lines)
         WHERE job_id = $1 AND epoch = $2",
        job.0,
        epoch_column(epoch),
        outcome,
        log.map(|log| number(log.last_seq)),
        log.map(|log| number(log.lines)),
    )
    .execute(conn)
    .await?;
    Ok(())
}
