//! Known causes of failures.

use axum::http::StatusCode;
use pointsman_shared::api::Page;
use pointsman_shared::api::causes::{Cause, NewCause};
use pointsman_store::known_causes;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::operations::keep_cause;

/// `GET /api/v1/causes`
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<Cause>>> {
    let mut conn = caller.app.store.read().await?;
    let after = page.before()?.unwrap_or_default();
    let found = known_causes::list(&mut conn, None, after, page.rows()).await?;
    Ok(page.page(found, |cause| cause.number.to_string()))
}

/// `POST /api/v1/causes`
pub(super) async fn add(caller: Caller, Json(wish): Json<NewCause>) -> Answer<(StatusCode, Json<Cause>)> {
    let made = keep_cause::add(&caller.app, &caller.actor, &wish).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `PUT /api/v1/causes/{number}`
pub(super) async fn change(
    caller: Caller,
    Path(number): Path<i64>,
    Json(wish): Json<NewCause>,
) -> Answer<Json<Cause>> {
    let changed = keep_cause::change(&caller.app, &caller.actor, number, &wish).await?;
    Ok(Json(changed))
}

/// `DELETE /api/v1/causes/{number}`
pub(super) async fn remove(caller: Caller, Path(number): Path<i64>) -> Answer<Json<Cause>> {
    let removed = keep_cause::remove(&caller.app, &caller.actor, number).await?;
    Ok(Json(removed))
}
