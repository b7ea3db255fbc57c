//! Environments.

use axum::http::StatusCode;
use pointsman_shared::api::Page;
use pointsman_shared::api::projects::{Environment, NewEnvironment};
use pointsman_store::environments;

use super::caller::Caller;
use super::extract::{Json, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::operations::create_environment;

/// `GET /api/v1/environments`, in the order of promotion.
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<Environment>>> {
    let mut conn = caller.app.store.read().await?;
    let environments = environments::list(&mut conn, page.after()?.as_deref(), page.rows()).await?;
    Ok(page.page(environments, |environment| environment.name.to_string()))
}

/// `POST /api/v1/environments`
pub(super) async fn create(
    caller: Caller,
    Json(wish): Json<NewEnvironment>,
) -> Answer<(StatusCode, Json<Environment>)> {
    let environment = create_environment::execute(&caller.app, &caller.actor, wish).await?;
    Ok((StatusCode::CREATED, Json(environment)))
}
