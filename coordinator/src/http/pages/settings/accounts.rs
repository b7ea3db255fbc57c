//! Accounts: who may sign in, what each may do; the link of an invitation is shown once.

use std::collections::BTreeMap;

use askama::Template;
use pointsman_domain::Rights;
use pointsman_shared::api::accounts::{Account, AccountChange, NewInvitation};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::name::ProjectName;
use pointsman_store::{accounts, projects};
use serde::Deserialize;

use super::super::super::extract::{Form, filled};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::format::Standing;
use super::super::once::Once;
use super::super::shown::{Place, Shown, Went};
use super::super::viewer::Viewer;
use super::tabs::{Part, page};
use crate::operations::{change_account, invite_account, renew_password};

/// Every role, with what it includes.
pub(super) const ROLES: [(RoleName, &str); 5] = [
    (RoleName::Viewer, "reads everything"),
    (RoleName::Deployer, "builds, deploys, rolls back, cancels"),
    (RoleName::Maintainer, "projects, targets, variables, hosts"),
    (RoleName::Admin, "accounts, tokens, environments, everything"),
    (RoleName::None, "sees only the projects it has a role in"),
];

/// Every role in a project, with what it includes there.
pub(super) const OF_PROJECT: [(RoleName, &str); 4] = [
    (RoleName::Viewer, "reads all of it"),
    (RoleName::Deployer, "builds, deploys, rolls back, cancels"),
    (RoleName::Maintainer, "targets, variables, recipe, webhooks"),
    (RoleName::None, "no more than everywhere"),
];

#[derive(Template)]
#[template(path = "settings/accounts.html")]
struct Accounts<'a> {
    rows: Vec<(&'a Account, Standing)>,
    roles: [(RoleName, &'static str); 5],
    of_project: [(RoleName, &'static str); 4],
    projects: Vec<ProjectName>,
    proof: &'a str,
    me: &'a str,
}

/// `GET /settings/accounts`
pub(super) async fn list(viewer: Viewer) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let all = accounts::all(&mut conn).await?;
    let list = Accounts {
        rows: all.iter().map(|account| (account, standing(account))).collect(),
        roles: ROLES,
        of_project: OF_PROJECT,
        projects: projects::all_names(&mut conn).await?,
        proof: &viewer.proof,
        me: &viewer.caller.actor.name,
    };
    Ok(page(&viewer, Part::Accounts, &all)?
        .with("accounts", &list)?
        .like("pointsman account ls"))
}

const fn standing(account: &Account) -> Standing {
    if account.disabled_at.is_some() {
        Standing {
            sign: "✕",
            word: "disabled",
            tone: "bad",
        }
    } else {
        Standing {
            sign: "✓",
            word: "may sign in",
            tone: "ok",
        }
    }
}

/// Whom, and as what.
#[derive(Debug, Deserialize)]
pub(super) struct Invite {
    #[serde(default, deserialize_with = "filled")]
    name: Option<String>,
    role: RoleName,
    #[serde(default, deserialize_with = "filled")]
    project: Option<ProjectName>,
    #[serde(default, deserialize_with = "filled")]
    project_role: Option<RoleName>,
}

/// One role in one project, as forms hold it.
pub(super) fn in_project(
    project: Option<ProjectName>,
    role: Option<RoleName>,
) -> BTreeMap<ProjectName, RoleName> {
    project.zip(role).into_iter().collect()
}

/// `POST /settings/accounts/invitations`; the one page that shows the link.
pub(super) async fn invite(viewer: Viewer, Form(form): Form<Invite>) -> Answer<Shown> {
    let wish = NewInvitation {
        name: form.name,
        role: form.role,
        projects: in_project(form.project, form.project_role),
    };
    let made = invite_account::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    let rights = Rights {
        role: made.role,
        projects: made.projects,
    };
    let guest = wish.name.as_deref().unwrap_or("Somebody").to_owned();
    let once = Once {
        title: format!("{guest} is invited as {}", rights.in_words()),
        what: "Send them this link, by a way that only they read: whoever opens it first makes the account."
            .to_owned(),
        lines: vec![("The link", made.url)],
        until: Some(made.expires_at),
        way_back: "An account that came of it is disabled under Accounts.",
        back: "/settings/accounts",
    };
    once.page(Place::Settings)
}

/// Whose password.
#[derive(Debug, Deserialize)]
pub(super) struct Forgot {
    name: String,
}

/// `POST /settings/accounts/password`; the one page that shows the link.
pub(super) async fn renew_password(viewer: Viewer, Form(form): Form<Forgot>) -> Answer<Shown> {
    let link = renew_password::execute(viewer.app(), &viewer.caller.actor, &form.name).await?;
    let once = Once {
        title: format!("{} may choose another password", form.name),
        what: "Send them this link, by a way that only they read. Until it is used the old password counts; then their sessions end."
            .to_owned(),
        lines: vec![("The link", link.url)],
        until: Some(link.expires_at),
        way_back: "Another link makes this one void.",
        back: "/settings/accounts",
    };
    once.page(Place::Settings)
}

/// What changes of whom.
#[derive(Debug, Deserialize)]
pub(super) struct Changed {
    name: String,
    #[serde(default, deserialize_with = "filled")]
    role: Option<RoleName>,
    #[serde(default, deserialize_with = "filled")]
    project: Option<ProjectName>,
    #[serde(default, deserialize_with = "filled")]
    project_role: Option<RoleName>,
    #[serde(default)]
    disabled: Option<bool>,
}

/// `POST /settings/accounts/change`
pub(super) async fn change(viewer: Viewer, Form(form): Form<Changed>) -> Answer<Went> {
    let wish = AccountChange {
        role: form.role,
        projects: in_project(form.project, form.project_role),
        disabled: form.disabled,
    };
    change_account::execute(viewer.app(), &viewer.caller.actor, &form.name, &wish).await?;
    Ok(Went::telling("/settings/accounts", Done::Account))
}
