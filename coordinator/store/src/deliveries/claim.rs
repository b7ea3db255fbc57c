//! The sender's side: a delivery is claimed by a time, in a short statement, and given back by that time passing. Each
//! claim is a new try, and only the newest try may say how the delivery ended.

use chrono::{DateTime, Utc};
use pointsman_shared::api::notifications::{DeliveryState, Notice};
use pointsman_shared::ids::{ChannelId, DeliveryId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::StoreResult;

/// A delivery to send now.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its id.
    pub id: DeliveryId,
    /// Its number.
    pub number: i64,
    /// Where to.
    pub channel: ChannelId,
    /// What belongs to one message or thread.
    pub thread: Option<String>,
    /// What it tells.
    pub notice: Notice,
    /// The number of this try.
    pub ordinal: i32,
    /// Which try it is since it was last sent by hand.
    pub tries: u32,
}

/// Lets the newest delivery of a message that is edited stand for those before it that wait, too.
pub async fn supersede(conn: &mut PgConnection) -> StoreResult<u64> {
    let done = sqlx::query!(
        "UPDATE delivery SET state = 'superseded', ended_at = now(), claimed_until = NULL
         FROM channel
         WHERE channel.id = channel_id AND channel.place ? 'slack_bot' AND state = 'waiting' AND thread IS NOT NULL
           AND (claimed_until IS NULL OR claimed_until < now())
           AND EXISTS (SELECT 1 FROM delivery newer WHERE newer.channel_id = delivery.channel_id
                         AND newer.thread = delivery.thread AND newer.number > delivery.number)",
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Claims the next delivery of each channel for `seconds`, of at most `limit` channels, those in `busy` left out. Of a
/// message that is edited one delivery at a time is under way.
pub async fn claim(
    conn: &mut PgConnection,
    limit: i64,
    seconds: f64,
    busy: &[Uuid],
) -> StoreResult<Vec<Due>> {
    let rows = sqlx::query!(
        r#"WITH due AS (
               SELECT next.id FROM channel CROSS JOIN LATERAL (
                   SELECT id FROM delivery
                   WHERE channel_id = channel.id AND state = 'waiting' AND next_at <= now()
                     AND (claimed_until IS NULL OR claimed_until < now())
                     AND NOT (channel.place ? 'slack_bot' AND thread IS NOT NULL AND EXISTS (
                         SELECT 1 FROM delivery other
                         WHERE other.channel_id = channel.id AND other.thread = delivery.thread
                           AND other.state = 'waiting' AND other.number < delivery.number))
                   ORDER BY next_at, number LIMIT 1 FOR UPDATE SKIP LOCKED) next
               WHERE disabled_at IS NULL AND NOT channel.id = ANY ($3) LIMIT $1),
           claimed AS (
               UPDATE delivery SET claimed_until = now() + make_interval(secs => $2), tries = tries + 1
               FROM due WHERE delivery.id = due.id RETURNING delivery.*)
           SELECT id AS "id!", number AS "number!", channel_id AS "channel!", thread, notice AS "notice!",
                  tries AS "tries!", tries_before AS "before!"
           FROM claimed ORDER BY number"#,
        limit,
        seconds,
        busy,
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().filter_map(|row| {
        // One that cannot be read must not hold up all others; its claim runs out, and it is said again.
        let notice = serde_json::from_value(row.notice)
            .inspect_err(|error| tracing::error!(delivery = row.number, %error, "a delivery cannot be read"));
        Some(Due {
            id: DeliveryId(row.id),
            number: row.number,
            channel: ChannelId(row.channel),
            thread: row.thread,
            notice: notice.ok()?,
            ordinal: row.tries,
            tries: u32::try_from(row.tries - row.before).unwrap_or_default(),
        })
    });
    Ok(due.collect())
}

/// When the next delivery is due that is not due yet; none = none waits.
pub async fn waits_for(conn: &mut PgConnection) -> StoreResult<Option<DateTime<Utc>>> {
    Ok(sqlx::query_scalar!(
        "SELECT min(next_at) FROM delivery JOIN channel ON channel.id = channel_id
         WHERE state = 'waiting' AND disabled_at IS NULL AND next_at > now()"
    )
    .fetch_one(conn)
    .await?)
}

/// A try, to be logged.
#[derive(Debug)]
pub struct Tried<'a> {
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub took_ms: i32,
    /// Status of the answer.
    pub status: Option<u16>,
    /// What was sent.
    pub request: &'a str,
    /// The answer's beginning.
    pub answer: Option<&'a str>,
    /// Why it counts as failed.
    pub error: Option<&'a str>,
}

/// What becomes of a delivery after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The receiver took it.
    Delivered,
    /// It is tried again then.
    Again(DateTime<Utc>),
    /// Given up.
    Failed,
}

/// Ends a try and logs it; false = a newer try, or a person, was faster, and only the log was written.
pub async fn finish(
    conn: &mut PgConnection,
    due: &Due,
    tried: &Tried<'_>,
    finish: Finish,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    sqlx::query!(
        "INSERT INTO delivery_try (delivery_id, ordinal, at, took_ms, status, request, answer, error)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE EXISTS (SELECT 1 FROM delivery WHERE id = $1)
         ON CONFLICT DO NOTHING",
        due.id.0,
        due.ordinal,
        tried.at,
        tried.took_ms,
        tried.status.map(i32::from),
        tried.request,
        tried.answer,
        tried.error,
    )
    .execute(&mut *conn)
    .await?;
    let (state, next_at, ended_at) = match finish {
        Finish::Delivered => (DeliveryState::Delivered, None, Some(now)),
        Finish::Again(at) => (DeliveryState::Waiting, Some(at), None),
        Finish::Failed => (DeliveryState::Failed, None, Some(now)),
    };
    let done = sqlx::query!(
        "UPDATE delivery SET state = $3, next_at = COALESCE($4, next_at), ended_at = $5, claimed_until = NULL
         WHERE id = $1 AND tries = $2 AND state = 'waiting'",
        due.id.0,
        due.ordinal,
        state.as_str(),
        next_at,
        ended_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}
