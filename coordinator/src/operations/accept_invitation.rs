//! Makes an account from an invitation, once, and signs its owner in; a link for another password is taken here too.

use pointsman_domain::{Actor, ActorKind, Refusal, RefusalKind};
use pointsman_shared::digest::Digest;
use pointsman_store::invitations::{self, KnownInvitation};
use pointsman_store::{accounts, principals};
use zeroize::Zeroizing;

use super::begin_session::{self, Browser};
use super::{act, invite_account, project_roles, renew_password};
use crate::app::App;
use crate::error::OperationResult;
use crate::password;

/// What an invitation offers; refused when it is void.
pub async fn look(app: &App, secret: &str) -> OperationResult<KnownInvitation> {
    let mut tx = app.store.begin().await?;
    let known = invitations::lock_invitation(&mut tx, &Digest::of(secret.as_bytes())).await?;
    valid(app, known)
}

/// Accepts; returns the secret of the new session's cookie.
pub async fn execute(
    app: &App,
    secret: &str,
    name: &str,
    chosen: Zeroizing<String>,
    browser: &Browser,
) -> OperationResult<Zeroizing<String>> {
    // Looked at before the costly hash, and again under the lock.
    let offered = look(app, secret).await?;
    if let (Some(name), true) = (&offered.name, offered.renews) {
        let secret = Digest::of(secret.as_bytes());
        return renew_password::accept(app, &secret, name, chosen, browser).await;
    }
    let name = offered.name.unwrap_or_else(|| name.trim().to_owned());
    invite_account::check_name(&name)?;
    password::judge(&chosen, &[&name, &app.config.installation.name, "pointsman"])?;
    let hash = password::hash(chosen).await?;
    let now = app.clock.now();
    let secret = Digest::of(secret.as_bytes());
    let mut tx = app.store.begin().await?;
    let invitation = valid(app, invitations::lock_invitation(&mut tx, &secret).await?)?;
    let fresh = begin_session::fresh(app);
    let principal = principals::ensure(&mut tx, fresh, ActorKind::User, &name, now).await?;
    if !accounts::insert(&mut tx, principal, invitation.rights.role, Some(&hash), now).await? {
        let what = format!("there is an account named {name}");
        return Err(Refusal::conflict("account_exists", what)
            .hint("choose another name")
            .into());
    }
    project_roles::change(&mut tx, principal, &invitation.rights.projects).await?;
    invitations::use_invitation(&mut tx, &secret, now).await?;
    let actor = Actor {
        principal,
        kind: ActorKind::User,
        name: name.clone(),
        rights: invitation.rights.clone(),
        address: browser.address.clone(),
        trace: None,
    };
    let detail =
        serde_json::json!({ "role": invitation.rights.role, "projects": invitation.rights.projects });
    act::done(
        app,
        &mut tx,
        &actor,
        "account.create",
        &format!("account {name}"),
        detail,
    )
    .await?;
    act::commit(tx).await?;
    begin_session::begin(app, &actor, None, browser).await
}

pub(super) fn valid(app: &App, known: Option<KnownInvitation>) -> OperationResult<KnownInvitation> {
    let valid = known.filter(|known| !known.used && known.expires_at > app.clock.now());
    Ok(valid.ok_or_else(|| {
        let what = "this invitation is not known, was used, or is too old";
        Refusal::new(RefusalKind::NotFound, "void_invitation", what)
            .hint("ask an admin for a new one; on the coordinator's console: pointsman-coordinator invite")
    })?)
}
