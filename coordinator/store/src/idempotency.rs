//! Requests that may be repeated: one row per (principal, key), one attempt that may commit.
//!
//! The claim is a fence inside the transaction of the change itself: [`crate::Store::claimed`] makes every transaction
//! of an attempt mark the row first, and an attempt whose claim was taken over marks nothing and cannot go on. So a
//! repeat after a crash never does a thing twice, and never waits for a coordinator that is gone.

use chrono::{DateTime, Utc};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PrincipalId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::StoreResult;

/// Who repeats what, and which attempt this is.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The principal.
    pub principal: PrincipalId,
    /// Its key.
    pub key: String,
    /// The attempt.
    pub attempt: Uuid,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing was done yet; this attempt may do it.
    Mine,
    /// The key belongs to another request.
    OtherRequest,
    /// It was answered.
    Answered {
        /// HTTP status.
        status: u16,
        /// The body.
        answer: String,
    },
    /// It was done, and its answer is not (yet) known.
    Done,
}

/// Claims a key for an attempt; takes it over from an attempt that committed nothing. Answers older than a day are
/// forgotten.
pub async fn claim(
    conn: &mut PgConnection,
    claim: &Claim,
    request: &Digest,
    now: DateTime<Utc>,
) -> StoreResult<Known> {
    sqlx::query!(
        "DELETE FROM idempotency WHERE principal_id = $1 AND key = $2 AND created_at < $3",
        claim.principal.0,
        claim.key,
        now - chrono::TimeDelta::days(1),
    )
    .execute(&mut *conn)
    .await?;
    let row = sqlx::query!(
        "INSERT INTO idempotency AS mine (principal_id, key, request_hash, claim, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (principal_id, key) DO UPDATE
             SET claim = CASE WHEN mine.request_hash = excluded.request_hash AND NOT mine.done AND mine.status IS NULL
                              THEN excluded.claim ELSE mine.claim END
         RETURNING request_hash, claim, status, answer",
        claim.principal.0,
        claim.key,
        request.as_bytes().as_slice(),
        claim.attempt,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(if row.request_hash != request.as_bytes() {
        Known::OtherRequest
    } else if row.claim == claim.attempt {
        Known::Mine
    } else if let Some(status) = row.status {
        Known::Answered {
            status: u16::try_from(status).unwrap_or(500),
            answer: row.answer.unwrap_or_default(),
        }
    } else {
        Known::Done
    })
}

/// Marks that the attempt's transaction changes something; false when a repeat took the claim over.
pub(crate) async fn mark_done(conn: &mut PgConnection, claim: &Claim) -> StoreResult<bool> {
    let done = sqlx::query!(
        "UPDATE idempotency SET done = true WHERE principal_id = $1 AND key = $2 AND claim = $3",
        claim.principal.0,
        claim.key,
        claim.attempt,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps the answer for repeats.
pub async fn keep_answer(
    conn: &mut PgConnection,
    claim: &Claim,
    status: u16,
    answer: &str,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE idempotency SET status = $4, answer = $5 WHERE principal_id = $1 AND key = $2 AND claim = $3",
        claim.principal.0,
        claim.key,
        claim.attempt,
        i32::from(status),
        answer,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets an attempt that changed nothing, so that a repeat is looked at anew.
pub async fn forget(conn: &mut PgConnection, claim: &Claim) -> StoreResult<()> {
    sqlx::query!(
        "DELETE FROM idempotency WHERE principal_id = $1 AND key = $2 AND claim = $3 AND NOT done",
        claim.principal.0,
        claim.key,
        claim.attempt,
    )
    .execute(conn)
    .await?;
    Ok(())
}
