//! Rules: which notifications go to which channel.

use axum::http::StatusCode;
use pointsman_shared::api::Page;
use pointsman_shared::api::notifications::{NewRule, Rule};
use pointsman_store::notification_rules;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::operations::{add_rule, remove_rule};

/// `GET /api/v1/rules`
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<Rule>>> {
    let mut conn = caller.app.store.read().await?;
    let after = page.before()?.unwrap_or_default();
    let found = notification_rules::list(&mut conn, None, after, page.rows()).await?;
    Ok(page.page(found, |rule| rule.number.to_string()))
}

/// `POST /api/v1/rules`
pub(super) async fn add(caller: Caller, Json(wish): Json<NewRule>) -> Answer<(StatusCode, Json<Rule>)> {
    let made = add_rule::execute(&caller.app, &caller.actor, &wish).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `DELETE /api/v1/rules/{number}`
pub(super) async fn remove(caller: Caller, Path(number): Path<i64>) -> Answer<Json<Rule>> {
    Ok(Json(
        remove_rule::execute(&caller.app, &caller.actor, number).await?,
    ))
}
