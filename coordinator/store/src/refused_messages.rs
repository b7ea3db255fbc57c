//! Messages that were refused: kept with their first bytes, so that somebody can see who sends what.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::StoreResult;

/// A refused message.
#[derive(Debug, Clone)]
pub struct RefusedMessage<'a> {
    /// The queue it came from.
    pub queue: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The host its routing key names; not proven.
    pub claimed_host: Option<&'a str>,
    /// Its size.
    pub bytes: usize,
    /// Its first bytes, printable.
    pub sample: &'a str,
}

/// Keeps a refused message. Returns whether it is the first of its host and reason within a minute: a flood is counted
/// here, and told elsewhere once.
pub async fn append(
    conn: &mut PgConnection,
    refused: &RefusedMessage<'_>,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    let first = sqlx::query_scalar!(
        r#"WITH known AS (
               SELECT EXISTS (SELECT 1 FROM refused_message
                              WHERE reason = $3 AND claimed_host IS NOT DISTINCT FROM $4
                                    AND at > $1::timestamptz - interval '1 minute') AS known)
           INSERT INTO refused_message (at, queue, reason, claimed_host, bytes, sample)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING NOT (SELECT known FROM known) AS "first!""#,
        now,
        refused.queue,
        refused.reason,
        refused.claimed_host,
        i32::try_from(refused.bytes).unwrap_or(i32::MAX),
        refused.sample,
    )
    .fetch_one(conn)
    .await?;
    Ok(first)
}
