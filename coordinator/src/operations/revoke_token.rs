//! Makes an API token void, at once and for good.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::tokens::RoleName;
use pointsman_store::tokens;

use super::act;
use crate::app::App;
use crate::error::OperationResult;

/// Revokes the token with this public part; revoking it twice is no error.
pub async fn execute(app: &App, actor: &Actor, id: &str) -> OperationResult<()> {
    let object = format!("token {id}");
    act::audited(
        app,
        actor,
        "token.revoke",
        &object,
        revoke(app, actor, id, &object),
    )
    .await
}

async fn revoke(app: &App, actor: &Actor, id: &str, object: &str) -> OperationResult<()> {
    actor.authorize(Action::ManageTokens, object)?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let others = tokens::lock_other_admins(&mut tx, id, now).await?;
    let known = tokens::info(&mut tx, id).await?.ok_or_else(|| {
        Refusal::not_found("unknown_token", format!("there is no token {id}")).hint("pointsman token ls")
    })?;
    if known.revoked_at.is_some() {
        return Ok(());
    }
    if known.role == RoleName::Admin && others == 0 {
        let what = format!("{id} is the last valid admin token; without it nobody could make another");
        return Err(Refusal::conflict("last_admin", what)
            .hint("make another first: pointsman token create NAME --role admin")
            .into());
    }
    tokens::revoke(&mut tx, id, now).await?;
    let detail = serde_json::json!({ "name": known.name });
    act::done(app, &mut tx, actor, "token.revoke", object, detail).await?;
    act::commit(tx).await
}
