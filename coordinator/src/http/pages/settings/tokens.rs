//! Tokens of machines and of the command line; each is shown once.

use askama::Template;
use chrono::{DateTime, Utc};
use pointsman_domain::Refusal;
use pointsman_shared::api::tokens::{NewToken, RoleName, TokenInfo, in_words};
use pointsman_shared::name::ProjectName;
use pointsman_store::{projects, tokens};
use serde::Deserialize;

use super::super::super::extract::{Form, filled};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::format::Standing;
use super::super::once::Once;
use super::super::shown::{Place, Shown, Went};
use super::super::viewer::Viewer;
use super::accounts::{OF_PROJECT, ROLES, in_project};
use super::tabs::{Part, page};
use crate::operations::{issue_token, revoke_token};

/// Tokens at most.
const MOST: i64 = 500;

#[derive(Template)]
#[template(path = "settings/tokens.html")]
struct Tokens<'a> {
    rows: Vec<(&'a TokenInfo, Standing, bool)>,
    roles: [(RoleName, &'static str); 5],
    of_project: [(RoleName, &'static str); 4],
    projects: Vec<ProjectName>,
    proof: &'a str,
}

/// `GET /settings/tokens`
pub(super) async fn list(viewer: Viewer) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let now = viewer.app().clock.now();
    let mut all = tokens::list(&mut conn, None, MOST).await?;
    // What still opens doors stands first.
    all.sort_by_key(|token| (is_void(token, now), token.name.clone()));
    let list = Tokens {
        rows: all
            .iter()
            .map(|token| (token, standing(token, now), !is_void(token, now)))
            .collect(),
        roles: ROLES,
        of_project: OF_PROJECT,
        projects: projects::all_names(&mut conn).await?,
        proof: &viewer.proof,
    };
    Ok(page(&viewer, Part::Tokens, &all)?
        .with("tokens", &list)?
        .like("pointsman token ls"))
}

fn is_void(token: &TokenInfo, now: DateTime<Utc>) -> bool {
    token.revoked_at.is_some() || token.expires_at.is_some_and(|at| at <= now)
}

fn standing(token: &TokenInfo, now: DateTime<Utc>) -> Standing {
    let (sign, word, tone) = if token.revoked_at.is_some() {
        ("✕", "revoked", "unknown")
    } else if is_void(token, now) {
        ("–", "expired", "unknown")
    } else {
        ("✓", "valid", "ok")
    };
    Standing { sign, word, tone }
}

/// For whom, as what, how long.
#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    name: String,
    role: RoleName,
    #[serde(default, deserialize_with = "filled")]
    project: Option<ProjectName>,
    #[serde(default, deserialize_with = "filled")]
    project_role: Option<RoleName>,
    #[serde(default)]
    days: String,
}

/// `POST /settings/tokens/issue`; the one page that shows the token.
pub(super) async fn issue(viewer: Viewer, Form(form): Form<Issue>) -> Answer<Shown> {
    let days = match form.days.trim() {
        "" => None,
        days => Some(days.parse().map_err(|_| {
            let what = format!("{days:?} is no number of days");
            Refusal::invalid("invalid_days", what).hint("1 to 90 (365 for a viewer), or nothing for 90")
        })?),
    };
    let wish = NewToken {
        name: form.name.trim().to_owned(),
        role: form.role,
        projects: in_project(form.project, form.project_role),
        days,
    };
    let issued = issue_token::execute(viewer.app(), &viewer.caller.actor, wish).await?;
    let once = Once {
        title: format!(
            "Token {} for {} ({})",
            issued.info.id,
            issued.info.name,
            in_words(issued.info.role, &issued.info.projects)
        ),
        what: "Put it where its machine keeps secrets; on a command line: pointsman login --with-token reads it."
            .to_owned(),
        lines: vec![("The token", issued.token)],
        until: issued.info.expires_at,
        way_back: "Revoking it under Tokens makes it void at once.",
        back: "/settings/tokens",
    };
    once.page(Place::Settings)
}

/// Which one.
#[derive(Debug, Deserialize)]
pub(super) struct One {
    id: String,
}

/// `POST /settings/tokens/revoke`
pub(super) async fn revoke(viewer: Viewer, Form(form): Form<One>) -> Answer<Went> {
    revoke_token::execute(viewer.app(), &viewer.caller.actor, &form.id).await?;
    Ok(Went::telling("/settings/tokens", Done::TokenRevoked))
}
