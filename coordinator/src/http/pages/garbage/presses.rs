//! What can be pressed about garbage: collected, brought back, pinned, and put on a clock.

use askama::Template;
use pointsman_domain::Refusal;
use pointsman_shared::api::garbage::{Garbage, GarbageRequest, GarbageSchedule, PinRequest, UndoRequest};
use pointsman_shared::name::{ProjectName, TargetName};
use serde::Deserialize;

use super::super::super::extract::{Form, filled};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::format;
use super::super::shown::{Place, Shown, Went};
use super::super::viewer::Viewer;
use crate::operations::{collect_garbage, pin_release, set_schedule, undo_collection};

/// What is collected, and why.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Collect {
    #[serde(default, deserialize_with = "filled")]
    project: Option<ProjectName>,
    #[serde(default, deserialize_with = "filled")]
    target: Option<TargetName>,
    #[serde(default, deserialize_with = "filled")]
    reason: Option<String>,
}

#[derive(Template)]
#[template(path = "garbage/ordered.html")]
struct Ordered<'a> {
    found: &'a Garbage,
    bytes: String,
    pruned_bytes: String,
    idle: bool,
    overfull: Option<usize>,
}

/// `POST /gc/collect`; the page says what was ordered, and what was left alone and why.
pub(in super::super) async fn collect(viewer: Viewer, Form(form): Form<Collect>) -> Answer<Shown> {
    let wish = GarbageRequest {
        project: form.project,
        target: form.target,
        dry_run: false,
        reason: form.reason,
    };
    let found = collect_garbage::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    let ordered = Ordered {
        found: &found,
        overfull: super::overfull(&found.items),
        idle: found.jobs.is_empty() && found.builders.iter().all(|builder| builder.job.is_none()),
        bytes: format::bytes(found.bytes()),
        pruned_bytes: format::bytes(found.pruned.iter().map(|release| release.bytes).sum()),
    };
    Ok(Shown::new("Collection ordered", Place::Garbage, &found)?
        .with("ordered", &ordered)?
        .once()
        .like("pointsman gc run"))
}

/// `POST /gc/undo`
pub(in super::super) async fn undo(viewer: Viewer, Form(wish): Form<Undo>) -> Answer<Went> {
    let wish = wish.read()?;
    undo_collection::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(Went(format!("/t/{}", wish.target)))
}

/// What comes back where.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Undo {
    /// Both in one, of what lies in the trash: `shop@production #7`.
    #[serde(default, deserialize_with = "filled")]
    what: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    target: Option<TargetName>,
    #[serde(default, deserialize_with = "filled")]
    release: Option<String>,
}

impl Undo {
    fn read(self) -> Answer<UndoRequest> {
        let chosen = self.what.as_deref().and_then(|what| {
            let (target, release) = what.split_once(' ')?;
            Some((target.parse().ok()?, release.trim().to_owned()))
        });
        let Some((target, release)) = chosen.or_else(|| self.target.zip(self.release)) else {
            let what = "nothing was named that could come back";
            return Err(Refusal::invalid("invalid_body", what)
                .hint("choose what lies in the trash, or name a target and a release")
                .into());
        };
        Ok(UndoRequest { target, release })
    }
}

/// When it is collected; an empty expression = never by itself.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Schedule {
    project: ProjectName,
    #[serde(default, deserialize_with = "filled")]
    cron: Option<String>,
}

/// `POST /gc/schedule`
pub(in super::super) async fn schedule(viewer: Viewer, Form(form): Form<Schedule>) -> Answer<Went> {
    let wish = GarbageSchedule {
        project: form.project,
        cron: form.cron,
        next: None,
        last: None,
    };
    set_schedule::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(Went::telling("/gc", Done::Schedule))
}

/// Which release is kept whatever happens, or is not any more.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Pin {
    project: ProjectName,
    release: String,
    pinned: bool,
    #[serde(default, deserialize_with = "filled")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    back: Option<ProjectName>,
}

/// `POST /gc/pin`
pub(in super::super) async fn pin(viewer: Viewer, Form(form): Form<Pin>) -> Answer<Went> {
    let wish = PinRequest {
        pinned: form.pinned,
        reason: form.reason,
    };
    pin_release::execute(
        viewer.app(),
        &viewer.caller.actor,
        &form.project,
        &form.release,
        &wish,
    )
    .await?;
    Ok(Went(form.back.map_or_else(
        || "/gc".to_owned(),
        |project| format!("/gc?project={project}"),
    )))
}
