//! Accounts of people: listed, invited, changed.

use axum::response::Response;
use pointsman_shared::api::accounts::{Account, AccountChange, NewInvitation};
use pointsman_store::accounts;

use super::caller::Caller;
use super::extract::{Json, Path};
use super::problem::Answer;
use super::tokens::secret;
use crate::operations::{change_account, invite_account, renew_password};

/// `GET /api/v1/accounts`, by name.
pub(super) async fn list(caller: Caller) -> Answer<Json<Vec<Account>>> {
    Ok(Json(accounts::all(&mut *caller.app.store.read().await?).await?))
}

/// `POST /api/v1/accounts/invitations`; the one answer that shows the link.
pub(super) async fn invite(caller: Caller, Json(wish): Json<NewInvitation>) -> Answer<Response> {
    let invitation = invite_account::execute(&caller.app, &caller.actor, &wish).await?;
    Ok(secret(&invitation))
}

/// `POST /api/v1/accounts/{name}/password`; the one answer that shows the link.
pub(super) async fn renew_password(caller: Caller, Path(name): Path<String>) -> Answer<Response> {
    let link = renew_password::execute(&caller.app, &caller.actor, &name).await?;
    Ok(secret(&link))
}

/// `PUT /api/v1/accounts/{name}`
pub(super) async fn change(
    caller: Caller,
    Path(name): Path<String>,
    Json(wish): Json<AccountChange>,
) -> Answer<Json<Account>> {
    let account = change_account::execute(&caller.app, &caller.actor, &name, &wish).await?;
    Ok(Json(account))
}
