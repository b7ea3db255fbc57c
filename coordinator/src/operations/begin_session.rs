//! Signs a browser in: by a person's password, or as a token. What is wrong is never told apart, attempts are slowed
//! down and never locked out: whoever attacks must not keep the person on call from signing in.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_domain::{Actor, ActorKind, Refusal, RefusalKind};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PrincipalId;
use pointsman_store::sessions::NewSession;
use pointsman_store::{accounts, audit, sessions};
use zeroize::Zeroizing;

use super::act;
use crate::app::App;
use crate::error::OperationResult;
use crate::{password, secrets, system};

/// The name of this act in the audit trail.
const ACTION: &str = "session.begin";
/// Longest life of a session, and how long it lasts unused (ASVS 7.3).
const LIFE: TimeDelta = TimeDelta::hours(12);
/// How long a session lasts unused.
pub const IDLE: TimeDelta = TimeDelta::minutes(30);
/// Failed attempts within a minute on one account that are answered at once.
const FREE: i64 = 5;
/// Failed attempts within a minute from one address.
const PER_ADDRESS: i64 = 20;
/// Longest delay of an answer.
const LONGEST: Duration = Duration::from_secs(16);

/// The browser that asks.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// Its address.
    pub address: Option<String>,
    /// What it calls itself.
    pub name: Option<String>,
}

/// Signs in by a name and a password; returns the secret of the cookie.
pub async fn by_password(
    app: &App,
    name: &str,
    password: Zeroizing<String>,
    browser: &Browser,
) -> OperationResult<Zeroizing<String>> {
    slow_down(app, name, browser).await?;
    let account = {
        let mut conn = app.store.read().await?;
        accounts::find(&mut conn, name)
            .await?
            .filter(|account| !account.disabled)
    };
    let hash = account.as_ref().and_then(|account| account.password.clone());
    let right = password::is(password, hash).await?;
    match account.filter(|_| right) {
        Some(account) => {
            let actor = Actor {
                principal: account.principal,
                kind: ActorKind::User,
                name: name.to_owned(),
                rights: account.rights,
                address: browser.address.clone(),
                trace: None,
            };
            begin(app, &actor, None, browser).await
        }
        None => Err(refuse(app, name, browser).await?.into()),
    }
}

/// Signs in as a token that was checked before; the session lives as long as the token is good, at most.
pub async fn as_token(
    app: &App,
    actor: &Actor,
    token: &str,
    browser: &Browser,
) -> OperationResult<Zeroizing<String>> {
    begin(app, actor, Some(token), browser).await
}

/// Signs in whoever was just let in otherwise, such as by an invitation.
pub async fn begin(
    app: &App,
    actor: &Actor,
    token: Option<&str>,
    browser: &Browser,
) -> OperationResult<Zeroizing<String>> {
    let secret = secrets::draw::<32>()?;
    let now = app.clock.now();
    let browser_name: Option<String> = browser.name.as_ref().map(|name| name.chars().take(200).collect());
    let mut tx = app.store.begin().await?;
    let session = NewSession {
        secret: &Digest::of(secret.as_bytes()),
        principal: actor.principal,
        token,
        address: browser.address.as_deref(),
        browser: browser_name.as_deref(),
        at: now,
        expires_at: now + LIFE,
    };
    sessions::insert(&mut tx, &session).await?;
    let detail = serde_json::json!({ "browser": browser_name, "token": token });
    act::done(app, &mut tx, actor, ACTION, &object(&actor.name), detail).await?;
    act::commit(tx).await?;
    Ok(secret)
}

/// Slows attempts on one account down, and refuses those of an address that tries and tries.
async fn slow_down(app: &App, name: &str, browser: &Browser) -> OperationResult<()> {
    let attempts = {
        let since: DateTime<Utc> = app.clock.now() - TimeDelta::minutes(1);
        let mut conn = app.store.read().await?;
        audit::refused_since(
            &mut conn,
            ACTION,
            &object(name),
            browser.address.as_deref(),
            since,
        )
        .await?
    };
    if attempts.from_address >= PER_ADDRESS {
        let what = "too many attempts to sign in came from this address";
        return Err(Refusal::new(RefusalKind::Unavailable, "too_many_attempts", what)
            .hint("wait a minute, or sign in from elsewhere")
            .into());
    }
    if let Ok(beyond) = u32::try_from(attempts.on_object - FREE) {
        let delay = Duration::from_secs(1_u64 << beyond.min(4));
        tokio::time::sleep(delay.min(LONGEST)).await;
    }
    Ok(())
}

/// Writes a failed attempt down, under the coordinator's own name: nobody knows who it was.
async fn refuse(app: &App, name: &str, browser: &Browser) -> OperationResult<Refusal> {
    let mut tx = app.store.begin().await?;
    let actor = system::actor(app, &mut tx).await?;
    act::commit(tx).await?;
    let actor = Actor {
        address: browser.address.clone(),
        ..actor
    };
    let what = "name or password is wrong, or the account may not sign in";
    act::refused(app, &actor, ACTION, &object(name), "wrong_credentials", what).await?;
    Ok(Refusal::new(RefusalKind::Forbidden, "wrong_credentials", what)
        .hint("an admin can invite you anew: Settings, Accounts"))
}

/// How an account is named in the audit trail; what somebody typed may be long.
fn object(name: &str) -> String {
    let name: String = name.chars().take(80).collect();
    format!("account {name}")
}

/// Ends the session of a browser that has just signed in anew: nothing holds its secret any more. The new session stands
/// in the audit trail.
pub async fn leave(app: &App, secret: &Digest) -> OperationResult<()> {
    let mut conn = app.store.read().await?;
    Ok(sessions::end(&mut conn, secret, app.clock.now()).await?)
}

/// Ends a session.
pub async fn end(app: &App, actor: &Actor, secret: &Digest) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    sessions::end(&mut tx, secret, app.clock.now()).await?;
    let detail = serde_json::Value::Null;
    act::done(app, &mut tx, actor, "session.end", &object(&actor.name), detail).await?;
    act::commit(tx).await
}

/// Ends every other session of the same person or token; returns how many.
pub async fn end_others(app: &App, actor: &Actor, secret: &Digest) -> OperationResult<u64> {
    let mut tx = app.store.begin().await?;
    let ended = sessions::end_all(&mut tx, actor.principal, Some(secret), app.clock.now()).await?;
    let detail = serde_json::json!({ "sessions_ended": ended });
    act::done(
        app,
        &mut tx,
        actor,
        "session.end_others",
        &object(&actor.name),
        detail,
    )
    .await?;
    act::commit(tx).await?;
    Ok(ended)
}

/// A new principal's id.
pub(super) fn fresh(app: &App) -> PrincipalId {
    PrincipalId(app.ids.next())
}
