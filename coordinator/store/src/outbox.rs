//! What must be published: rows put in the transaction of their cause, claimed by relays for a short time, sent at
//! least once. No row lock is held while anything is published.

mod claim;

pub use claim::{Due, Message, claim, drop_row, mark_missed, mark_sent, release};

use chrono::{DateTime, Utc};
use pointsman_shared::ids::{Epoch, JobId};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::to_agent::{Adopt, Cancel};
use pointsman_shared::wire::{TraceParent, topology};
use sqlx::PgConnection;

use crate::jobs::{JobRow, epoch_column};
use crate::{StoreError, StoreResult};

/// Puts the offer of a job's epoch; the relay signs it when it publishes it.
pub async fn put_offer(
    conn: &mut PgConnection,
    job: &JobRow,
    epoch: Epoch,
    routing_key: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO outbox (exchange, routing_key, kind, job_id, epoch, trace, created_at, expires_at)
         VALUES ('jobs', $1, 'offer', $2, $3, $4, $5, $6)",
        routing_key,
        job.id.0,
        epoch_column(epoch),
        String::from(job.trace()),
        now,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts a cancel for a host; the relay signs it when it publishes it.
pub async fn put_cancel(
    conn: &mut PgConnection,
    cancel: &Cancel,
    trace: &TraceParent,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    let job = Some((cancel.job, cancel.epoch, trace));
    put_control(
        conn,
        "cancel",
        &cancel.host,
        job,
        &serde_json::to_string(cancel),
        now,
        expires_at,
    )
    .await
}

/// Puts an adopt for a host; the relay signs it when it publishes it.
pub async fn put_adopt(
    conn: &mut PgConnection,
    adopt: &Adopt,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    put_control(
        conn,
        "adopt",
        &adopt.host,
        None,
        &serde_json::to_string(adopt),
        now,
        expires_at,
    )
    .await
}

async fn put_control(
    conn: &mut PgConnection,
    kind: &str,
    host: &HostId,
    job: Option<(JobId, Epoch, &TraceParent)>,
    message: &Result<String, serde_json::Error>,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    let message = message
        .as_ref()
        .map_err(|error| StoreError::inconsistent("outbox", host, error))?;
    sqlx::query!(
        "INSERT INTO outbox (exchange, routing_key, kind, job_id, epoch, message, trace, created_at, expires_at)
         VALUES ('control', $1, $2, $3, $4, $5, $6, $7, $8)",
        topology::host_control(host),
        kind,
        job.map(|(job, _, _)| job.0),
        job.map(|(_, epoch, _)| epoch_column(epoch)),
        message,
        job.map(|(_, _, trace)| trace.as_str()),
        now,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
