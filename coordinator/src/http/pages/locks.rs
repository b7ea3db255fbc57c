//! Locks and the global stop: who refuses new wishes, since when, until when, and why.

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::locks::{Lock, NewLock};
use pointsman_shared::name::TargetName;
use pointsman_store::{locks, targets};
use serde::Deserialize;

use super::super::extract::{Form, filled};
use super::super::problem::Answer;
use super::shown::{Mood, Place, Shown, Went};
use super::viewer::Viewer;
use crate::operations::{release_lock, set_lock};

/// How long a lock may be asked for, in seconds and in words.
const LENGTHS: [(&str, &str); 6] = [
    ("1800", "half an hour"),
    ("3600", "1 hour"),
    ("14400", "4 hours"),
    ("86400", "a day"),
    ("604800", "a week"),
    ("", "until somebody lifts it"),
];

#[derive(Template)]
#[template(path = "locks.html")]
struct Page<'a> {
    stop: Option<&'a Lock>,
    locks: Vec<(&'a TargetName, &'a Lock, bool)>,
    free: Vec<TargetName>,
    lengths: [(&'static str, &'static str); 6],
    proof: &'a str,
    may_stop: bool,
}

/// `GET /locks`
pub(super) async fn show(viewer: Viewer) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    let mut all = locks::all(&mut conn, now).await?;
    all.retain(|lock| {
        lock.target
            .as_ref()
            .is_none_or(|target| viewer.sees(&target.project))
    });
    let may = |target: &TargetName| viewer.may_in(&target.project, Action::Deploy);
    let targets = targets::names(&mut conn).await?;
    let held: Vec<_> = all
        .iter()
        .filter_map(|lock| lock.target.as_ref().map(|target| (target, lock, may(target))))
        .collect();
    let page = Page {
        stop: all.iter().find(|lock| lock.target.is_none()),
        free: targets
            .into_iter()
            .map(|(_, name)| name)
            .filter(|name| may(name) && !held.iter().any(|(target, ..)| *target == name))
            .collect(),
        locks: held,
        lengths: LENGTHS,
        proof: &viewer.proof,
        may_stop: viewer.may(Action::Deploy),
    };
    let mood = if all.is_empty() { Mood::Quiet } else { Mood::Bad };
    Ok(Shown::new("Locks", Place::Nowhere, &all)?
        .with("locks", &page)?
        .in_mood(mood)
        .like("pointsman locks"))
}

/// Why, and for how long; of which target, where it is about one.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    #[serde(default, deserialize_with = "filled")]
    target: Option<TargetName>,
    reason: String,
    #[serde(default)]
    length: String,
}

/// `POST /locks/stop`
pub(super) async fn stop(viewer: Viewer, Form(form): Form<Wish>) -> Answer<Went> {
    set(&viewer, None, &form).await
}

/// `POST /locks`
pub(super) async fn lock(viewer: Viewer, Form(form): Form<Wish>) -> Answer<Went> {
    let Some(target) = &form.target else {
        // Without a target it would be the stop, which has a form of its own.
        let what = "a lock needs a target";
        return Err(pointsman_domain::Refusal::invalid("invalid_body", what)
            .hint("choose one in the form")
            .into());
    };
    set(&viewer, Some(target), &form).await
}

async fn set(viewer: &Viewer, target: Option<&TargetName>, form: &Wish) -> Answer<Went> {
    let wish = NewLock {
        reason: form.reason.trim().to_owned(),
        expires_in_s: form.length.parse().ok(),
    };
    set_lock::execute(viewer.app(), &viewer.caller.actor, target, &wish).await?;
    Ok(Went("/locks".to_owned()))
}

/// Which target.
#[derive(Debug, Deserialize)]
pub(super) struct Of {
    target: TargetName,
}

/// `POST /locks/stop/lift`
pub(super) async fn go_on(viewer: Viewer) -> Answer<Went> {
    release_lock::execute(viewer.app(), &viewer.caller.actor, None).await?;
    Ok(Went("/locks".to_owned()))
}

/// `POST /locks/lift`
pub(super) async fn unlock(viewer: Viewer, Form(form): Form<Of>) -> Answer<Went> {
    release_lock::execute(viewer.app(), &viewer.caller.actor, Some(&form.target)).await?;
    Ok(Went("/locks".to_owned()))
}
