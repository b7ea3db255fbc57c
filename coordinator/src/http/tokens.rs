//! API tokens.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pointsman_shared::api::Page;
use pointsman_shared::api::tokens::{NewToken, TokenInfo};
use pointsman_store::tokens;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use super::repeat::Secret;
use crate::operations::{issue_token, revoke_token};

/// `GET /api/v1/tokens`
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<TokenInfo>>> {
    let mut conn = caller.app.store.read().await?;
    let found = tokens::list(&mut conn, page.after()?.as_deref(), page.rows()).await?;
    Ok(page.page(found, |token| token.id.clone()))
}

/// `POST /api/v1/tokens`; the one answer that shows the secret.
pub(super) async fn issue(caller: Caller, Json(wish): Json<NewToken>) -> Answer<Response> {
    let issued = issue_token::execute(&caller.app, &caller.actor, wish).await?;
    Ok(secret(&issued))
}

/// `DELETE /api/v1/tokens/{token}`
pub(super) async fn revoke(caller: Caller, Path(id): Path<String>) -> Answer<StatusCode> {
    revoke_token::execute(&caller.app, &caller.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An answer that is shown once and kept nowhere.
pub(super) fn secret(answer: &impl serde::Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    response.extensions_mut().insert(Secret);
    response
}
