//! The relay's side: rows are claimed by a time, in a short transaction, and given back by that time passing.

use chrono::{DateTime, Utc};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, JobId};
use pointsman_shared::wire::to_agent::{Adopt, Cancel};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A row to publish.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its id.
    pub id: i64,
    /// The exchange.
    pub exchange: String,
    /// The routing key, which is also the queue's name.
    pub routing_key: String,
    /// How often no confirm came.
    pub misses: u32,
    /// W3C trace context.
    pub trace: Option<String>,
    /// When it is void.
    pub expires_at: DateTime<Utc>,
    /// What to sign and send.
    pub message: Message,
}

/// What a row asks to be signed.
#[derive(Debug, Clone)]
pub enum Message {
    /// An offer that still stands.
    Offer {
        /// The job.
        job: JobId,
        /// The offered epoch.
        epoch: Epoch,
        /// The job's body.
        body: String,
        /// Its digest.
        digest: Digest,
    },
    /// A cancel.
    Cancel(Cancel),
    /// An adopt.
    Adopt(Adopt),
    /// The job moved on; nothing is sent.
    Outdated,
}

/// Claims up to `limit` unsent rows for `seconds`, except those for queues in `busy`.
pub async fn claim(
    conn: &mut PgConnection,
    limit: i64,
    seconds: f64,
    busy: &[String],
) -> StoreResult<Vec<Due>> {
    let rows = sqlx::query!(
        r#"WITH due AS (
               SELECT id FROM outbox
               WHERE sent_at IS NULL AND (claimed_until IS NULL OR claimed_until < now()) AND expires_at > now()
                     AND NOT routing_key = ANY ($3)
               ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED),
           claimed AS (
               UPDATE outbox SET claimed_until = now() + make_interval(secs => $2)
               FROM due WHERE outbox.id = due.id RETURNING outbox.*)
           SELECT claimed.id AS "id!", claimed.exchange AS "exchange!", claimed.routing_key AS "routing_key!",
                  claimed.kind AS "kind!", claimed.job_id, claimed.epoch, claimed.message, claimed.misses AS "misses!",
                  claimed.trace, claimed.expires_at AS "expires_at!", job.body AS "body?", job.body_digest AS "digest?",
                  COALESCE(job.state = 'offered' AND job.epoch = claimed.epoch, false) AS "stands!"
           FROM claimed LEFT JOIN job ON job.id = claimed.job_id
           ORDER BY claimed.id"#,
        limit,
        seconds,
        busy,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |what: &dyn ToString| StoreError::inconsistent("outbox", row.id, what.to_string());
            let text = row.message.as_deref().unwrap_or_default();
            let message = match row.kind.as_str() {
                "cancel" => Message::Cancel(serde_json::from_str(text).map_err(|e| wrong(&e))?),
                "adopt" => Message::Adopt(serde_json::from_str(text).map_err(|e| wrong(&e))?),
                "offer" if row.stands => Message::Offer {
                    job: JobId(row.job_id.ok_or_else(|| wrong(&"an offer without a job"))?),
                    epoch: Epoch(
                        row.epoch
                            .and_then(|epoch| u32::try_from(epoch).ok())
                            .unwrap_or_default(),
                    ),
                    body: row.body.ok_or_else(|| wrong(&"an offer without a body"))?,
                    digest: row
                        .digest
                        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                        .map(Digest::from_bytes)
                        .ok_or_else(|| wrong(&"an offer without a digest"))?,
                },
                _ => Message::Outdated,
            };
            Ok(Due {
                id: row.id,
                exchange: row.exchange,
                routing_key: row.routing_key,
                misses: u32::try_from(row.misses).unwrap_or_default(),
                trace: row.trace,
                expires_at: row.expires_at,
                message,
            })
        })
        .collect()
}

/// The broker confirmed it.
pub async fn mark_sent(conn: &mut PgConnection, id: i64) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE outbox SET sent_at = now(), claimed_until = NULL WHERE id = $1",
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing needs to be sent any more.
pub async fn drop_row(conn: &mut PgConnection, id: i64) -> StoreResult<()> {
    sqlx::query!("DELETE FROM outbox WHERE id = $1 AND sent_at IS NULL", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives rows back after `seconds`.
pub async fn release(conn: &mut PgConnection, ids: &[i64], seconds: f64) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE outbox SET claimed_until = now() + make_interval(secs => $2) WHERE id = ANY ($1) AND sent_at IS NULL",
        ids,
        seconds,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// No confirm came although the broker was well; returns how often that happened to this row.
pub async fn mark_missed(conn: &mut PgConnection, id: i64) -> StoreResult<u32> {
    let misses = sqlx::query_scalar!(
        "UPDATE outbox SET misses = misses + 1, claimed_until = NULL WHERE id = $1 RETURNING misses",
        id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(misses
        .and_then(|misses| u32::try_from(misses).ok())
        .unwrap_or_default())
}
