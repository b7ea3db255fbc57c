//! Deliveries: one notification to one channel, put in the transaction that moves the cursor, claimed by a time for a
//! short while, and logged try by try. No row lock is held while anything is sent.

mod claim;
mod log;

pub use claim::{Due, Finish, Tried, claim, finish, supersede, waits_for};
pub use log::{DeliveryFilter, find, list, redeliver, tries};

use chrono::{DateTime, Utc};
use pointsman_shared::api::notifications::{DeliveryState, Notice};
use pointsman_shared::ids::{ChannelId, DeliveryId};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A delivery to insert.
#[derive(Debug)]
pub struct NewDelivery<'a> {
    /// Its id.
    pub id: DeliveryId,
    /// Where to.
    pub channel: ChannelId,
    /// What belongs to one message or thread.
    pub thread: Option<&'a str>,
    /// What it tells.
    pub notice: &'a Notice,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Puts a delivery; returns its number. None = this event was put for the channel before, or the channel is disabled.
pub async fn put(conn: &mut PgConnection, delivery: &NewDelivery<'_>) -> StoreResult<Option<i64>> {
    let notice = serde_json::to_value(delivery.notice)
        .map_err(|error| StoreError::inconsistent("delivery", delivery.id, error))?;
    let number = sqlx::query_scalar!(
        "INSERT INTO delivery (id, channel_id, event_seq, thread, topic, notice, created_at, next_at)
         SELECT $1, id, $3::bigint, $4::text, $5::text, $6::jsonb, $7::timestamptz, $7::timestamptz
         FROM channel WHERE id = $2 AND disabled_at IS NULL FOR SHARE
         ON CONFLICT (channel_id, event_seq) DO NOTHING RETURNING number",
        delivery.id.0,
        delivery.channel.0,
        delivery.notice.cursor,
        delivery.thread,
        delivery.notice.topic,
        notice,
        delivery.at,
    )
    .fetch_optional(conn)
    .await?;
    Ok(number)
}

/// Gives up what waits for a channel.
pub async fn give_up(conn: &mut PgConnection, channel: ChannelId, at: DateTime<Utc>) -> StoreResult<u64> {
    let done = sqlx::query!(
        "UPDATE delivery SET state = 'failed', ended_at = $2, claimed_until = NULL
         WHERE channel_id = $1 AND state = 'waiting'",
        channel.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// What was told in a thread up to a delivery, the newest at most, in order.
pub async fn told(
    conn: &mut PgConnection,
    channel: ChannelId,
    thread: &str,
    upto: i64,
    most: i64,
) -> StoreResult<Vec<Notice>> {
    let rows = sqlx::query_scalar!(
        r#"SELECT notice AS "notice!" FROM (
               SELECT number, notice FROM delivery WHERE channel_id = $1 AND thread = $2 AND number <= $3
               ORDER BY number DESC LIMIT $4) newest
           ORDER BY number"#,
        channel.0,
        thread,
        upto,
        most,
    )
    .fetch_all(conn)
    .await?;
    let read = |notice| serde_json::from_value(notice);
    let notices = rows.into_iter().map(read).collect::<Result<_, _>>();
    notices.map_err(|error| StoreError::inconsistent("delivery", upto, error))
}

/// How the receiver knows the message of a thread.
pub async fn message(
    conn: &mut PgConnection,
    channel: ChannelId,
    thread: &str,
) -> StoreResult<Option<serde_json::Value>> {
    let handle = sqlx::query_scalar!(
        r#"SELECT handle AS "handle!" FROM delivery
           WHERE channel_id = $1 AND thread = $2 AND handle IS NOT NULL ORDER BY number DESC LIMIT 1"#,
        channel.0,
        thread,
    )
    .fetch_optional(conn)
    .await?;
    Ok(handle)
}

/// Remembers how the receiver knows the message that a delivery posted.
pub async fn put_message(
    conn: &mut PgConnection,
    id: DeliveryId,
    handle: &serde_json::Value,
) -> StoreResult<()> {
    sqlx::query!("UPDATE delivery SET handle = $2 WHERE id = $1", id.0, handle)
        .execute(conn)
        .await?;
    Ok(())
}

fn state_from(number: i64, text: &str) -> StoreResult<DeliveryState> {
    DeliveryState::ALL
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| StoreError::inconsistent("delivery", number, format!("no such state: {text}")))
}
