//! Invites a person: a link that makes an account once, within three days. The first admin is invited by the console.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_domain::{Action, Actor, Refusal, Rights};
use pointsman_shared::api::accounts::{Invitation, NewInvitation};
use pointsman_shared::digest::Digest;
use pointsman_store::{Transaction, accounts, invitations};
use url::Url;

use super::{act, project_roles};
use crate::app::App;
use crate::error::OperationResult;
use crate::secrets;

/// How long an invitation counts.
const LIFE: TimeDelta = TimeDelta::days(3);

/// Invites.
pub async fn execute(app: &App, actor: &Actor, wish: &NewInvitation) -> OperationResult<Invitation> {
    let object = match &wish.name {
        Some(name) => format!("account {name}"),
        None => "a new account".to_owned(),
    };
    act::audited(app, actor, "account.invite", &object, async {
        actor.authorize(Action::ManageTokens, &object)?;
        if let Some(name) = &wish.name {
            check_name(name)?;
            let mut conn = app.store.read().await?;
            if accounts::find(&mut conn, name).await?.is_some() {
                let what = format!("there is an account named {name}");
                return Err(Refusal::conflict("account_exists", what)
                    .hint(format!(
                        "choose another name; a forgotten password: pointsman account reset {name}"
                    ))
                    .into());
            }
        }
        let now = app.clock.now();
        let mut tx = app.store.begin().await?;
        let url = &app.config.http.public_url;
        project_roles::judged(&mut tx, &wish.projects).await?;
        let rights = Rights {
            role: wish.role,
            projects: wish.projects.clone(),
        };
        let invitation = insert(&mut tx, url, wish.name.as_deref(), &rights, now).await?;
        let detail = serde_json::json!({ "role": wish.role, "projects": wish.projects });
        act::done(app, &mut tx, actor, "account.invite", &object, detail).await?;
        act::commit(tx).await?;
        Ok(invitation)
    })
    .await
}

/// Adds an invitation, for the console too.
pub async fn insert(
    tx: &mut Transaction,
    public_url: &Url,
    name: Option<&str>,
    rights: &Rights,
    now: DateTime<Utc>,
) -> OperationResult<Invitation> {
    let secret = secrets::draw::<32>()?;
    let expires_at = now + LIFE;
    invitations::invite(tx, &Digest::of(secret.as_bytes()), name, rights, now, expires_at).await?;
    Ok(Invitation {
        url: format!("{public_url}invitation/{}", *secret),
        role: rights.role,
        projects: rights.projects.clone(),
        expires_at,
    })
}

/// Whether this can be a person's name: it stands in lists, in the audit trail and in commands.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(plain) {
        return Ok(());
    }
    let what = format!("{name:?} is no name for an account");
    Err(Refusal::invalid("invalid_name", what).hint("1 to 64 lower-case letters, digits and . _ @ -"))
}
