//! Gives a link by which the owner of an account chooses another password, once: for whoever forgot theirs. The old one
//! counts until then. Whom an OpenID provider signs in has no password, and gets none this way.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_domain::{Action, Actor, Refusal, RefusalKind};
use pointsman_shared::api::accounts::Invitation;
use pointsman_shared::digest::Digest;
use pointsman_store::accounts::{self, KnownAccount};
use pointsman_store::{Transaction, invitations, sessions};
use url::Url;
use zeroize::Zeroizing;

use super::begin_session::{self, Browser};
use super::{act, change_account};
use crate::app::App;
use crate::error::OperationResult;
use crate::{password, secrets};

/// How long the link counts.
const LIFE: TimeDelta = TimeDelta::days(1);

/// Makes the link.
pub async fn execute(app: &App, actor: &Actor, name: &str) -> OperationResult<Invitation> {
    let object = format!("account {name}");
    act::audited(app, actor, "account.renew_password", &object, async {
        actor.authorize(Action::ManageTokens, &object)?;
        let mut tx = app.store.begin().await?;
        let account = change_account::known(&mut tx, name).await?;
        let url = &app.config.http.public_url;
        let link = insert(&mut tx, url, name, &account, app.clock.now()).await?;
        let detail = serde_json::json!({ "until": link.expires_at });
        act::done(app, &mut tx, actor, "account.renew_password", &object, detail).await?;
        act::commit(tx).await?;
        Ok(link)
    })
    .await
}

/// Adds the link, for the console too.
pub async fn insert(
    tx: &mut Transaction,
    public_url: &Url,
    name: &str,
    account: &KnownAccount,
    now: DateTime<Utc>,
) -> OperationResult<Invitation> {
    if account.disabled {
        return Err(change_account::disabled(RefusalKind::Conflict, name).into());
    }
    if account.password.is_none() {
        let what = format!("{name} signs in by the OpenID provider and has no password");
        return Err(Refusal::conflict("no_password", what)
            .hint("the provider lets people in again")
            .into());
    }
    let secret = secrets::draw::<32>()?;
    let expires_at = now + LIFE;
    let digest = Digest::of(secret.as_bytes());
    invitations::invite_again(tx, &digest, name, account, now, expires_at).await?;
    Ok(Invitation {
        url: format!("{public_url}invitation/{}", *secret),
        role: account.rights.role,
        projects: account.rights.projects.clone(),
        expires_at,
    })
}

/// Takes the new password; every session of the account ends, and one begins.
pub(super) async fn accept(
    app: &App,
    secret: &Digest,
    name: &str,
    chosen: Zeroizing<String>,
    browser: &Browser,
) -> OperationResult<Zeroizing<String>> {
    password::judge(&chosen, &[name, &app.config.installation.name, "pointsman"])?;
    let hash = password::hash(chosen).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    // Under the lock it may be used, and the account may have been disabled meanwhile.
    super::accept_invitation::valid(app, invitations::lock_invitation(&mut tx, secret).await?)?;
    let account = change_account::known(&mut tx, name).await?;
    if account.disabled {
        return Err(change_account::disabled(RefusalKind::Conflict, name).into());
    }
    accounts::set_password(&mut tx, account.principal, &hash).await?;
    invitations::use_invitation(&mut tx, secret, now).await?;
    let ended = sessions::end_all(&mut tx, account.principal, None, now).await?;
    let actor = Actor {
        principal: account.principal,
        kind: pointsman_domain::ActorKind::User,
        name: name.to_owned(),
        rights: account.rights,
        address: browser.address.clone(),
        trace: None,
    };
    let detail = serde_json::json!({ "sessions_ended": ended, "from": "link" });
    act::done(
        app,
        &mut tx,
        &actor,
        "account.password",
        &format!("account {name}"),
        detail,
    )
    .await?;
    act::commit(tx).await?;
    begin_session::begin(app, &actor, None, browser).await
}
