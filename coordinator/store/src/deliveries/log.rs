//! What people look at: deliveries, newest first, and each try of one.

use chrono::{DateTime, Utc};
use pointsman_shared::api::notifications::{Delivery, DeliveryState, DeliveryTry};
use pointsman_shared::ids::DeliveryId;
use pointsman_shared::name::ChannelName;
use sqlx::PgConnection;

use super::state_from;
use crate::{StoreError, StoreResult};

/// Which deliveries.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryFilter<'a> {
    /// With a lower number.
    pub before: Option<i64>,
    /// The one of this number.
    pub number: Option<i64>,
    /// To this channel.
    pub channel: Option<&'a ChannelName>,
    /// In this state.
    pub state: Option<DeliveryState>,
}

/// A page of deliveries, newest first, each with its id.
pub async fn list(
    conn: &mut PgConnection,
    wanted: DeliveryFilter<'_>,
    limit: i64,
) -> StoreResult<Vec<(DeliveryId, Delivery)>> {
    let rows = sqlx::query!(
        r#"SELECT delivery.id, number, channel.name AS channel, topic, notice->>'message' AS "message!", state, tries,
                  delivery.created_at, next_at, ended_at, newest.error AS "error?"
           FROM delivery JOIN channel ON channel.id = channel_id
                LEFT JOIN delivery_try newest ON newest.delivery_id = delivery.id AND newest.ordinal = delivery.tries
           WHERE ($1::bigint IS NULL OR number < $1) AND ($2::bigint IS NULL OR number = $2)
             AND ($3::text IS NULL OR channel.name = $3) AND ($4::text IS NULL OR state = $4)
           ORDER BY number DESC LIMIT $5"#,
        wanted.before,
        wanted.number,
        wanted.channel.map(ChannelName::as_str),
        wanted.state.map(DeliveryState::as_str),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let state = state_from(row.number, &row.state)?;
            let channel = row.channel.parse();
            let delivery = Delivery {
                number: row.number,
                channel: channel.map_err(|error| StoreError::inconsistent("delivery", row.number, error))?,
                topic: row.topic,
                message: row.message,
                state,
                tries: u32::try_from(row.tries).unwrap_or_default(),
                created_at: row.created_at,
                next_at: (state == DeliveryState::Waiting).then_some(row.next_at),
                ended_at: row.ended_at,
                last_error: row.error,
            };
            Ok((DeliveryId(row.id), delivery))
        })
        .collect()
}

/// The delivery of this number, with its id.
pub async fn find(conn: &mut PgConnection, number: i64) -> StoreResult<Option<(DeliveryId, Delivery)>> {
    let wanted = DeliveryFilter {
        number: Some(number),
        ..DeliveryFilter::default()
    };
    Ok(list(conn, wanted, 1).await?.into_iter().next())
}

/// Every try of a delivery, the first first.
pub async fn tries(conn: &mut PgConnection, id: DeliveryId) -> StoreResult<Vec<DeliveryTry>> {
    let rows = sqlx::query!(
        "SELECT at, took_ms, status, request, answer, error FROM delivery_try WHERE delivery_id = $1 ORDER BY ordinal",
        id.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| DeliveryTry {
            at: row.at,
            took_ms: u32::try_from(row.took_ms).unwrap_or_default(),
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            request: row.request,
            answer: row.answer,
            error: row.error,
        })
        .collect())
}

/// Sends a delivery that is over once more, with the same id; false = it is not over.
pub async fn redeliver(conn: &mut PgConnection, id: DeliveryId, at: DateTime<Utc>) -> StoreResult<bool> {
    let done = sqlx::query!(
        "UPDATE delivery SET state = 'waiting', ended_at = NULL, next_at = $2, tries_before = tries
         WHERE id = $1 AND state <> 'waiting'",
        id.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}
