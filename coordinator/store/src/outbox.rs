//! What must be published: rows put in the transaction of their cause, claimed by relays, sent at least once.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::{Epoch, JobId};
use sqlx::PgConnection;

use crate::StoreResult;

/// Puts the offer of a job's epoch; the relay signs it when it publishes it.
pub async fn put_offer(
    conn: &mut PgConnection,
    job: JobId,
    epoch: Epoch,
    routing_key: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO outbox (exchange, routing_key, kind, job_id, epoch, created_at, expires_at)
         VALUES ('jobs', $1, 'offer', $2, $3, $4, $5)",
        routing_key,
        job.0,
        i32::try_from(epoch.0).unwrap_or(i32::MAX),
        now,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
