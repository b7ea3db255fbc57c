//! Environments: the stages, in the order of promotion.

use askama::Template;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::projects::{Environment, NewEnvironment};
use pointsman_shared::name::EnvironmentName;
use pointsman_store::environments;
use serde::Deserialize;

use super::super::super::extract::Form;
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::shown::{Shown, Went};
use super::super::viewer::Viewer;
use super::tabs::{Part, page};
use crate::operations::create_environment;

/// Environments at most.
const MOST: i64 = 500;

#[derive(Template)]
#[template(path = "settings/environments.html")]
struct Environments<'a> {
    rows: &'a [Environment],
    next: i32,
    proof: &'a str,
    may: bool,
}

/// `GET /settings/environments`
pub(super) async fn list(viewer: Viewer) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let mut all = environments::list(&mut conn, None, MOST).await?;
    all.sort_by_key(|environment| environment.position);
    let list = Environments {
        rows: &all,
        next: all.last().map_or(0, |last| last.position.saturating_add(1)),
        proof: &viewer.proof,
        may: viewer.may(Action::ManageEnvironments),
    };
    Ok(page(&viewer, Part::Environments, &all)?
        .with("environments", &list)?
        .like("pointsman environment list"))
}

/// Its name and its place.
#[derive(Debug, Deserialize)]
pub(super) struct New {
    name: EnvironmentName,
    #[serde(default)]
    position: String,
}

/// `POST /settings/environments`
pub(super) async fn create(viewer: Viewer, Form(form): Form<New>) -> Answer<Went> {
    let position = match form.position.trim() {
        "" => 0,
        text => text.parse().map_err(|_| {
            let what = format!("{text:?} is no place in the order");
            Refusal::invalid("invalid_body", what).hint("a whole number; lower ones come first")
        })?,
    };
    let wish = NewEnvironment {
        name: form.name,
        position,
    };
    create_environment::execute(viewer.app(), &viewer.caller.actor, wish).await?;
    Ok(Went::telling("/settings/environments", Done::Environment))
}
