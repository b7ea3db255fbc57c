//! Known causes: what a line of a failed log means, and what to do about it.

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::causes::{Cause, NewCause};
use pointsman_store::known_causes;
use serde::Deserialize;

use super::super::super::extract::{Form, Query};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::shown::{Shown, Went};
use super::super::viewer::Viewer;
use super::tabs::{Part, page};
use crate::operations::keep_cause;

/// Causes at most.
const MOST: i64 = 500;

#[derive(Template)]
#[template(path = "settings/causes.html")]
struct Causes<'a> {
    rows: &'a [Cause],
    /// The one whose form is open: a form in every row would be most of the page.
    changing: Option<&'a Cause>,
    proof: &'a str,
    may: bool,
}

/// `?change=3`
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    change: String,
}

/// `GET /settings/causes`
pub(super) async fn list(viewer: Viewer, Query(which): Query<Which>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let all = known_causes::list(&mut conn, None, 0, MOST).await?;
    let may = viewer.may(Action::Configure);
    let changing = all.iter().find(|cause| cause.number.to_string() == which.change);
    let list = Causes {
        rows: &all,
        changing: changing.filter(|_| may),
        proof: &viewer.proof,
        may,
    };
    Ok(page(&viewer, Part::Causes, &all)?
        .with("causes", &list)?
        .like("pointsman cause ls"))
}

/// A cause as the form has it.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    pattern: String,
    sentence: String,
    #[serde(default)]
    action: String,
}

fn wish(pattern: &str, sentence: &str, action: &str) -> NewCause {
    let action = action.trim();
    NewCause {
        pattern: pattern.trim().to_owned(),
        sentence: sentence.trim().to_owned(),
        action: (!action.is_empty()).then(|| action.to_owned()),
    }
}

fn back(done: Done) -> Went {
    Went::telling("/settings/causes", done)
}

/// `POST /settings/causes/add`
pub(super) async fn add(viewer: Viewer, Form(said): Form<Said>) -> Answer<Went> {
    let wish = wish(&said.pattern, &said.sentence, &said.action);
    keep_cause::add(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(back(Done::Cause))
}

/// A cause and what becomes of it.
#[derive(Debug, Deserialize)]
pub(super) struct Changed {
    number: i64,
    pattern: String,
    sentence: String,
    #[serde(default)]
    action: String,
}

/// `POST /settings/causes/change`
pub(super) async fn change(viewer: Viewer, Form(form): Form<Changed>) -> Answer<Went> {
    let wish = wish(&form.pattern, &form.sentence, &form.action);
    keep_cause::change(viewer.app(), &viewer.caller.actor, form.number, &wish).await?;
    Ok(back(Done::Cause))
}

/// Which one.
#[derive(Debug, Deserialize)]
pub(super) struct One {
    number: i64,
}

/// `POST /settings/causes/remove`
pub(super) async fn remove(viewer: Viewer, Form(one): Form<One>) -> Answer<Went> {
    keep_cause::remove(viewer.app(), &viewer.caller.actor, one.number).await?;
    Ok(back(Done::CauseRemoved))
}
