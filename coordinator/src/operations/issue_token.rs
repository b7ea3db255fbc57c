//! Issues an API token: shown once, stored as a digest.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_domain::{Action, Actor, ActorKind, Refusal};
use pointsman_shared::api::tokens::{IssuedToken, NewToken, RoleName};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{IdSource, PrincipalId, ProjectId};
use pointsman_store::tokens::NewTokenRow;
use pointsman_store::{Transaction, principals, tokens};

use super::{act, project_roles};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::http::TOKEN_PREFIX;
use crate::secrets;

/// Days a token is valid when its wish says nothing.
const USUAL_DAYS: u32 = 90;
/// Days a token is valid at most that can change something.
const MOST_DAYS: u32 = 90;
/// Days one is valid at most that only reads, as what scrapes metrics does.
const MOST_READING_DAYS: u32 = 365;
/// Name of the token that `init` makes.
const FIRST: &str = "first-admin";

/// Issues a token.
pub async fn execute(app: &App, actor: &Actor, wish: NewToken) -> OperationResult<IssuedToken> {
    let object = format!("token {}", wish.name);
    act::audited(
        app,
        actor,
        "token.issue",
        &object,
        issue(app, actor, &wish, &object),
    )
    .await
}

async fn issue(app: &App, actor: &Actor, wish: &NewToken, object: &str) -> OperationResult<IssuedToken> {
    actor.authorize(Action::ManageTokens, object)?;
    check_name(&wish.name)?;
    let days = wish.days.unwrap_or(USUAL_DAYS);
    check_days(wish, days)?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let projects = project_roles::judged(&mut tx, &wish.projects).await?;
    if wish.role == RoleName::None && projects.is_empty() {
        let what = "a token without any role opens nothing";
        return Err(Refusal::invalid("invalid_role", what)
            .hint("give it a role, or one in a project: --project shop=deployer")
            .into());
    }
    let until = Some(now + TimeDelta::days(days.into()));
    let issued = insert(&mut tx, &*app.ids, &wish.name, (wish.role, &projects), now, until).await?;
    let detail = serde_json::json!({
        "id": issued.info.id,
        "role": wish.role,
        "projects": wish.projects,
        "days": days,
    });
    act::done(app, &mut tx, actor, "token.issue", object, detail).await?;
    act::commit(tx).await?;
    Ok(issued)
}

/// The first admin's token, in the transaction of `init`; none when there are tokens already. It does not expire, so
/// that an installation that is left alone does not lock its people out.
pub async fn first(
    tx: &mut Transaction,
    ids: &dyn IdSource,
    now: DateTime<Utc>,
) -> OperationResult<Option<IssuedToken>> {
    if tokens::any(tx).await? {
        return Ok(None);
    }
    insert(tx, ids, FIRST, (RoleName::Admin, &[]), now, None)
        .await
        .map(Some)
}

async fn insert(
    tx: &mut Transaction,
    ids: &dyn IdSource,
    name: &str,
    (role, projects): (RoleName, &[(ProjectId, RoleName)]),
    now: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
) -> OperationResult<IssuedToken> {
    // The principal's row stays locked, so that of two wishes for one name the second sees the first.
    let principal = principals::ensure(tx, PrincipalId(ids.next()), ActorKind::Token, name, now).await?;
    if tokens::any_valid(tx, principal, now).await? {
        let what = format!("there is a valid token named {name}");
        return Err(Refusal::conflict("token_exists", what)
            .hint("choose another name, or revoke it first: pointsman token ls")
            .into());
    }
    let id = secrets::draw::<8>()?;
    let secret = secrets::draw::<32>()?;
    let row = NewTokenRow {
        id: &id,
        principal,
        secret: &Digest::of(secret.as_bytes()),
        role,
        at: now,
        expires_at,
    };
    tokens::insert(tx, &row).await?;
    for (project, role) in projects {
        tokens::insert_project(tx, &id, *project, *role).await?;
    }
    let info = tokens::info(tx, &id)
        .await?
        .ok_or_else(|| OperationError::internal("issuing a token", anyhow::anyhow!("it vanished")))?;
    Ok(IssuedToken {
        token: format!("{TOKEN_PREFIX}{}_{}", *id, *secret),
        info,
    })
}

fn check_days(wish: &NewToken, days: u32) -> Result<(), Refusal> {
    let mut roles = wish.projects.values().chain([&wish.role]);
    let most = if roles.all(|role| *role <= RoleName::Viewer) {
        MOST_READING_DAYS
    } else {
        MOST_DAYS
    };
    if (1..=most).contains(&days) {
        return Ok(());
    }
    let what = format!("this token is valid for 1 to {most} days, not {days}");
    Err(Refusal::invalid("invalid_days", what).hint(format!(
        "one that only reads (viewer) may be valid for {MOST_READING_DAYS} days, every other for {MOST_DAYS}"
    )))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_alphanumeric() || " ._@-".contains(c);
    if (1..=80).contains(&name.chars().count()) && name.chars().all(plain) && name.trim() == name {
        return Ok(());
    }
    let what = format!("{name:?} is no name for a token");
    Err(Refusal::invalid("invalid_name", what).hint("1 to 80 letters, digits, spaces and . _ @ -"))
}
