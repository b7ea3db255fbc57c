//! Channels of notifications: made, shown, tried out, removed. What is secret of them is told once, when it is made.

use axum::http::StatusCode;
use axum::response::Response;
use pointsman_domain::Refusal;
use pointsman_shared::api::Page;
use pointsman_shared::api::notifications::{Channel, Delivery, EnableChannel, NewChannel, NewSecret};
use pointsman_shared::name::ChannelName;
use pointsman_store::channels;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use super::tokens::secret;
use crate::operations::{add_channel, enable_channel, known, remove_channel, rotate_channel, test_channel};

/// `GET /api/v1/channels`
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<Channel>>> {
    let mut conn = caller.app.store.read().await?;
    let found = channels::list(&mut conn, None, page.after()?.as_deref(), page.rows()).await?;
    Ok(page.page(found, |channel| channel.name.to_string()))
}

/// `GET /api/v1/channels/{channel}`
pub(super) async fn one(caller: Caller, Path(name): Path<ChannelName>) -> Answer<Json<Channel>> {
    shown(&caller, &name).await
}

/// `POST /api/v1/channels`
pub(super) async fn add(caller: Caller, Json(wish): Json<NewChannel>) -> Answer<Response> {
    let made = add_channel::execute(&caller.app, &caller.actor, wish).await?;
    Ok(secret(&made))
}

/// `DELETE /api/v1/channels/{channel}`
pub(super) async fn remove(caller: Caller, Path(name): Path<ChannelName>) -> Answer<StatusCode> {
    remove_channel::execute(&caller.app, &caller.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/v1/channels/{channel}/enabled`
pub(super) async fn enable(
    caller: Caller,
    Path(name): Path<ChannelName>,
    Json(wish): Json<EnableChannel>,
) -> Answer<Json<Channel>> {
    enable_channel::execute(&caller.app, &caller.actor, &name, wish.enabled).await?;
    shown(&caller, &name).await
}

/// `POST /api/v1/channels/{channel}/secret`
pub(super) async fn rotate(
    caller: Caller,
    Path(name): Path<ChannelName>,
    Json(wish): Json<NewSecret>,
) -> Answer<Response> {
    let rotated = rotate_channel::execute(&caller.app, &caller.actor, &name, wish).await?;
    Ok(secret(&rotated))
}

/// `POST /api/v1/channels/{channel}/test`
pub(super) async fn test(
    caller: Caller,
    Path(name): Path<ChannelName>,
) -> Answer<(StatusCode, Json<Delivery>)> {
    let put = test_channel::execute(&caller.app, &caller.actor, &name).await?;
    Ok((StatusCode::ACCEPTED, Json(put)))
}

async fn shown(caller: &Caller, name: &ChannelName) -> Answer<Json<Channel>> {
    let mut conn = caller.app.store.read().await?;
    let found = channels::list(&mut conn, Some(name), None, 1).await?;
    if let Some(channel) = found.into_iter().next() {
        return Ok(Json(channel));
    }
    let names = channels::names(&mut conn).await?;
    let list = "pointsman channel ls";
    let refusal: Refusal = known::unknown("channel", "unknown_channel", name.as_str(), &names, list);
    Err(refusal.into())
}
