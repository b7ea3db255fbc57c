//! Who I am here, what I may do, my password and my sessions.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, Utc};
use pointsman_domain::Refusal;
use pointsman_shared::api::accounts::Account;
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::name::ProjectName;
use pointsman_store::sessions::OpenSession;
use pointsman_store::{accounts, principals, sessions, views};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::super::extract::Form;
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::shown::{Place, Shown, Went};
use super::super::viewer::Viewer;
use super::accounts::ROLES;
use crate::operations::{begin_session, change_account};

#[derive(Template)]
#[template(path = "settings/profile.html")]
struct Profile<'a> {
    name: &'a str,
    kind: &'static str,
    role: String,
    what: &'static str,
    account: Option<&'a Account>,
    email: Option<String>,
    sessions: Vec<(&'a OpenSession, String, bool)>,
    proof: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    kind: &'static str,
    role: RoleName,
    projects: &'a BTreeMap<ProjectName, RoleName>,
    sessions: Vec<DateTime<Utc>>,
}

/// `GET /profile`
pub(super) async fn show(viewer: Viewer) -> Answer<Shown> {
    let actor = &viewer.caller.actor;
    let now = viewer.app().clock.now();
    let mut conn = viewer.app().store.read().await?;
    let open = sessions::open(&mut conn, actor.principal, now, now - begin_session::IDLE).await?;
    let is_person = accounts::find(&mut conn, &actor.name)
        .await?
        .is_some_and(|account| account.principal == actor.principal);
    let all = accounts::all(&mut conn).await?;
    let email = views::own::email(&mut conn, actor.principal).await?;
    let kind = principals::kind_name(actor.kind);
    let profile = Profile {
        name: &actor.name,
        kind,
        role: actor.rights.in_words(),
        what: ROLES
            .iter()
            .find(|(role, _)| *role == actor.rights.role)
            .map_or("", |(_, what)| what),
        account: all.iter().find(|account| is_person && account.name == actor.name),
        email,
        sessions: open
            .iter()
            .map(|session| {
                let here = session.secret == viewer.session;
                (session, browser(session.browser.as_deref()), here)
            })
            .collect(),
        proof: &viewer.proof,
    };
    let data = Data {
        name: &actor.name,
        kind,
        role: actor.rights.role,
        projects: &actor.rights.projects,
        sessions: open.iter().map(|session| session.seen_at).collect(),
    };
    Ok(Shown::new("Profile", Place::Nowhere, &data)?
        .with("profile", &profile)?
        .like("pointsman whoami"))
}

/// A browser as people call it: browsers name each other, so the one that is named last by custom is asked for first.
fn browser(agent: Option<&str>) -> String {
    let Some(agent) = agent else {
        return "a program".to_owned();
    };
    let named = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    let browser = named(&[
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = named(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => agent.chars().take(40).collect(),
    }
}

/// The present password, and twice the new one.
#[derive(Deserialize)]
pub(super) struct Passwords {
    old: Zeroizing<String>,
    chosen: Zeroizing<String>,
    again: Zeroizing<String>,
}

/// `POST /profile/password`
pub(super) async fn password(viewer: Viewer, Form(form): Form<Passwords>) -> Answer<Went> {
    if form.chosen != form.again {
        let what = "the two new passwords differ; nothing was changed";
        return Err(Refusal::invalid("passwords_differ", what)
            .hint("type the same twice")
            .into());
    }
    let (app, actor) = (viewer.app(), &viewer.caller.actor);
    change_account::password(app, actor, &viewer.session, form.old, form.chosen).await?;
    Ok(Went::telling("/profile", Done::Password))
}

/// The address that one's commits bear; empty = none.
#[derive(Deserialize)]
pub(super) struct Address {
    #[serde(default)]
    email: String,
}

/// `POST /profile/address`
pub(super) async fn address(viewer: Viewer, Form(form): Form<Address>) -> Answer<Went> {
    change_account::email(viewer.app(), &viewer.caller.actor, &form.email).await?;
    Ok(Went::telling("/profile", Done::Address))
}

/// `POST /profile/sessions/end`
pub(super) async fn end_sessions(viewer: Viewer) -> Answer<Went> {
    begin_session::end_others(viewer.app(), &viewer.caller.actor, &viewer.session).await?;
    Ok(Went::telling("/profile", Done::SessionsEnded))
}
