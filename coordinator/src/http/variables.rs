//! Variables; the values of secret ones are never read back.

use axum::http::StatusCode;
use pointsman_shared::api::Page;
use pointsman_shared::api::projects::{Variable, VariableRef};
use pointsman_store::variables;

use super::caller::Caller;
use super::extract::{Json, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::operations::set_variable;

/// `GET /api/v1/variables`
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<Variable>>> {
    let mut conn = caller.app.store.read().await?;
    let found = variables::list(
        &mut conn,
        caller.sight().as_deref(),
        page.after()?.as_deref(),
        page.rows(),
    )
    .await?;
    Ok(page.page(found, |found| {
        variables::place(&VariableRef {
            scope: found.scope.clone(),
            name: found.name.clone(),
        })
    }))
}

/// `DELETE /api/v1/variables`
pub(super) async fn unset(caller: Caller, Json(variable): Json<VariableRef>) -> Answer<StatusCode> {
    set_variable::remove(&caller.app, &caller.actor, &variable).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/v1/variables`
pub(super) async fn set(caller: Caller, Json(wish): Json<Variable>) -> Answer<StatusCode> {
    set_variable::execute(&caller.app, &caller.actor, wish).await?;
    Ok(StatusCode::NO_CONTENT)
}
