//! Signs in whom the OpenID provider knows: the account is made the first time and bound to issuer and subject for good,
//! its roles are what its groups give at each sign-in. Whose groups give nothing is refused.

use pointsman_domain::{Actor, ActorKind, Refusal, RefusalKind, Rights};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PrincipalId;
use pointsman_store::{Transaction, accounts, principals, projects};
use zeroize::Zeroizing;

use super::begin_session::{self, Browser};
use super::{act, change_account, invite_account, project_roles};
use crate::app::App;
use crate::config::{GroupRole, GroupRoles, OidcSection};
use crate::error::OperationResult;
use crate::oidc::Known;
use crate::system;

/// The name of a refusal in the audit trail; not that of a password's, by which guesses are counted.
const REFUSED: &str = "session.provider";

/// Lets somebody in; returns the secret of the cookie.
pub async fn execute(
    app: &App,
    section: &OidcSection,
    known: &Known,
    browser: &Browser,
) -> OperationResult<Zeroizing<String>> {
    let rights = rights(section, &known.groups);
    if rights.role == RoleName::None && rights.projects.is_empty() {
        take_back(app, known, rights, browser).await?;
        let refusal = without_role(known);
        refuse(app, browser, &refusal).await?;
        return Err(refusal.into());
    }
    let mut tx = app.store.begin().await?;
    let (principal, name) = match accounts::of_identity(&mut tx, &known.issuer, &known.subject).await? {
        Some(found) if found.disabled => {
            drop(tx);
            let refusal = change_account::disabled(RefusalKind::Forbidden, &found.name);
            refuse(app, browser, &refusal).await?;
            return Err(refusal.into());
        }
        Some(found) => (found.principal, found.name),
        None => made(app, &mut tx, known, &rights, browser).await?,
    };
    let rights = given(app, &mut tx, principal, &name, rights, browser).await?;
    act::commit(tx).await?;
    let actor = actor(principal, &name, rights, browser);
    begin_session::begin(app, &actor, None, browser).await
}

/// Whose groups give nothing any more has nothing any more, in open sessions neither.
async fn take_back(app: &App, known: &Known, none: Rights, browser: &Browser) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    if let Some(found) = accounts::of_identity(&mut tx, &known.issuer, &known.subject).await? {
        given(app, &mut tx, found.principal, &found.name, none, browser).await?;
    }
    act::commit(tx).await
}

/// Writes down under the coordinator's own name that somebody did not get in: nobody knows who it was.
pub async fn refuse(app: &App, browser: &Browser, refusal: &Refusal) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let mut actor = system::actor(app, &mut tx).await?;
    act::commit(tx).await?;
    actor.address.clone_from(&browser.address);
    act::refused(
        app,
        &actor,
        REFUSED,
        "the OpenID provider",
        refusal.code,
        &refusal.what,
    )
    .await
}

/// What groups give together: the highest role everywhere, and the highest in each project.
fn rights(section: &OidcSection, groups: &[String]) -> Rights {
    let mut rights = Rights::from(RoleName::None);
    let given = groups.iter().filter_map(|group| section.roles.get(group));
    for role in given.flat_map(GroupRoles::each) {
        match role {
            GroupRole::Everywhere(role) => rights.role = rights.role.max(*role),
            GroupRole::In(project, role) => {
                let held = rights.projects.entry(project.clone()).or_insert(*role);
                *held = (*held).max(*role);
            }
        }
    }
    rights
}

fn without_role(known: &Known) -> Refusal {
    let who = known.name.as_deref().unwrap_or(&known.subject);
    let what = if known.groups.is_empty() {
        format!("the provider names no group of {who}, so there is no role to give")
    } else {
        format!(
            "none of the groups of {who} gives a role here: {}",
            known.groups.join(", ")
        )
    };
    Refusal::new(RefusalKind::Forbidden, "no_role", what)
        .hint("ask for a group that has one; which ones do stands under oidc.roles in the coordinator's configuration")
}

async fn made(
    app: &App,
    tx: &mut Transaction,
    known: &Known,
    rights: &Rights,
    browser: &Browser,
) -> OperationResult<(PrincipalId, String)> {
    let (principal, name) = new_account(app, tx, known, rights.role).await?;
    accounts::bind(tx, principal, &known.issuer, &known.subject).await?;
    let actor = actor(principal, &name, rights.clone(), browser);
    let detail = serde_json::json!({
        "issuer": known.issuer,
        "subject": known.subject,
        "role": rights.role,
        "projects": rights.projects,
    });
    act::done(
        app,
        tx,
        &actor,
        "account.create",
        &format!("account {name}"),
        detail,
    )
    .await?;
    Ok((principal, name))
}

/// An account that nobody had, under the name that the provider says. A name that is taken is never taken over: it gets an
/// end of its own, and where that is taken, too, one that nobody could foresee.
async fn new_account(
    app: &App,
    tx: &mut Transaction,
    known: &Known,
    role: RoleName,
) -> OperationResult<(PrincipalId, String)> {
    let now = app.clock.now();
    let said = said(known);
    let digest = Digest::of(format!("{} {}", known.issuer, known.subject).as_bytes());
    let fresh = begin_session::fresh(app);
    let unforeseen = fresh.0.simple().to_string();
    for name in [
        said.clone(),
        format!("{said}-{}", digest.short()),
        format!("{said}-{}", unforeseen.get(20..).unwrap_or(&unforeseen)),
    ] {
        invite_account::check_name(&name)?;
        if accounts::find(tx, &name).await?.is_some() {
            continue;
        }
        let principal = principals::ensure(tx, fresh, ActorKind::User, &name, now).await?;
        if accounts::insert(tx, principal, role, None, now).await? {
            return Ok((principal, name));
        }
    }
    let what = format!("every name like {said} is taken");
    Err(Refusal::conflict("account_exists", what)
        .hint("sign in again")
        .into())
}

/// What the provider says, as a name here.
fn said(known: &Known) -> String {
    let said = known.name.as_deref().unwrap_or_default().to_lowercase();
    let plain = |c: &char| c.is_ascii_alphanumeric() || "._@-".contains(*c);
    let said: String = said.chars().filter(plain).take(48).collect();
    if said.is_empty() {
        "person".to_owned()
    } else {
        said
    }
}

/// Gives an account what its groups give now, and no more.
async fn given(
    app: &App,
    tx: &mut Transaction,
    principal: PrincipalId,
    name: &str,
    mut rights: Rights,
    browser: &Browser,
) -> OperationResult<Rights> {
    let known = projects::all_names(tx).await?;
    rights.projects.retain(|project, _| {
        let exists = known.contains(project);
        if !exists {
            tracing::warn!(%project, "oidc.roles names a project that does not exist");
        }
        exists
    });
    let before = accounts::find(tx, name).await?.map(|account| account.rights);
    if before.as_ref() == Some(&rights) {
        return Ok(rights);
    }
    accounts::set_role(tx, principal, rights.role).await?;
    accounts::unset_project_roles(tx, principal).await?;
    project_roles::change(tx, principal, &rights.projects).await?;
    let detail = serde_json::json!({
        "role": rights.role,
        "projects": rights.projects,
        "before": before.map(|before| before.in_words()),
        "from": "groups",
    });
    let actor = actor(principal, name, rights.clone(), browser);
    act::done(
        app,
        tx,
        &actor,
        "account.change",
        &format!("account {name}"),
        detail,
    )
    .await?;
    Ok(rights)
}

fn actor(principal: PrincipalId, name: &str, rights: Rights, browser: &Browser) -> Actor {
    Actor {
        principal,
        kind: ActorKind::User,
        name: name.to_owned(),
        rights,
        address: browser.address.clone(),
        trace: None,
    }
}
