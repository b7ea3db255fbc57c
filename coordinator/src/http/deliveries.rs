//! Deliveries of notifications: what was sent where, how it was answered, and once more.

use axum::http::StatusCode;
use pointsman_shared::api::Page;
use pointsman_shared::api::notifications::{Delivery, DeliveryLog, DeliveryState};
use pointsman_shared::name::ChannelName;
use pointsman_store::deliveries::{self, DeliveryFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::notify;
use crate::operations::redeliver;

/// `?channel=&state=&cursor=&limit=`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveryQuery {
    channel: Option<ChannelName>,
    state: Option<DeliveryState>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/deliveries`
pub(super) async fn list(caller: Caller, Query(query): Query<DeliveryQuery>) -> Answer<Json<Page<Delivery>>> {
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let wanted = DeliveryFilter {
        before: page.before()?,
        channel: query.channel.as_ref(),
        state: query.state,
        number: None,
    };
    let mut conn = caller.app.store.read().await?;
    let found = deliveries::list(&mut conn, wanted, page.rows()).await?;
    let found = found.into_iter().map(|(_, delivery)| delivery).collect();
    Ok(page.page(found, |delivery: &Delivery| delivery.number.to_string()))
}

/// `GET /api/v1/deliveries/{number}`
pub(super) async fn one(caller: Caller, Path(number): Path<i64>) -> Answer<Json<DeliveryLog>> {
    let mut conn = caller.app.store.read().await?;
    let (id, delivery) = redeliver::find(&mut conn, number).await?;
    Ok(Json(DeliveryLog {
        delivery,
        id: notify::message_id(id),
        tries: deliveries::tries(&mut conn, id).await?,
    }))
}

/// `POST /api/v1/deliveries/{number}/redeliver`
pub(super) async fn redeliver(
    caller: Caller,
    Path(number): Path<i64>,
) -> Answer<(StatusCode, Json<Delivery>)> {
    let sent = redeliver::execute(&caller.app, &caller.actor, number).await?;
    Ok((StatusCode::ACCEPTED, Json(sent)))
}
