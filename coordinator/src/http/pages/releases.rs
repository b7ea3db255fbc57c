//! One release: where it comes from, how it was built, where it is live, what people said of it.

use askama::Template;
use axum::extract::Form;
use pointsman_domain::Action;
use pointsman_shared::api::garbage::PinRequest;
use pointsman_shared::api::jobs::{Job, LogPage};
use pointsman_shared::api::projects::Target;
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::name::{MarkName, ProjectName};
use pointsman_store::views;
use serde::{Deserialize, Serialize};

use super::super::extract::Path;
use super::super::problem::Answer;
use super::super::releases::find;
use super::deployments::{LogTail, tail};
use super::format::{self, Standing};
use super::shown::{Mood, Place, Shown, Went};
use super::viewer::Viewer;
use crate::operations::mark_release::{self, Said};
use crate::operations::{known, pin_release};

#[derive(Serialize)]
struct Whole {
    release: Release,
    job: Option<Job>,
    #[serde(skip)]
    targets: Vec<Target>,
    #[serde(skip)]
    log: Option<LogPage>,
}

#[derive(Template)]
#[template(path = "release_head.html")]
struct Head<'a> {
    release: &'a Release,
    standing: Standing,
    size: Option<String>,
    targets: Vec<&'a Target>,
    steps: Vec<(&'a str, &'a str, String)>,
    pinned: bool,
    proof: &'a str,
    may: bool,
}

/// `GET /r/{project}/{release}`
pub(super) async fn show(
    viewer: Viewer,
    Path((project, spec)): Path<(ProjectName, String)>,
) -> Answer<Shown> {
    let whole = read(&viewer, &project, &spec).await?;
    let release = &whole.release;
    let steps = whole.job.iter().flat_map(|job| &job.steps).map(|step| {
        let took = step.duration_ms.map(format::duration).unwrap_or_default();
        (step.name.as_str(), step.state.as_str(), took)
    });
    let head = Head {
        release,
        standing: format::release(release.state),
        size: release.total_bytes.map(format::bytes),
        targets: whole
            .targets
            .iter()
            .filter(|_| release.state == ReleaseState::Built)
            .collect(),
        steps: steps.collect(),
        pinned: release.marks.iter().any(|mark| mark.mark.as_str() == "pinned"),
        proof: &viewer.proof,
        may: viewer.may_in(&project, Action::Deploy),
    };
    let mood = match release.state {
        ReleaseState::Queued | ReleaseState::Building => Mood::Running,
        ReleaseState::Built => Mood::Good,
        ReleaseState::Failed => Mood::Bad,
        ReleaseState::Cancelled | ReleaseState::Pruned => Mood::Quiet,
    };
    let mut shown = Shown::new(format!("{project} {}", release.label), Place::Projects, &whole)?
        .with("release", &head)?
        .in_mood(mood)
        .like(format!("pointsman logs {project} {}", release.label));
    if let (Some(job), Some(log)) = (&whole.job, &whole.log) {
        shown = shown.with("log", &LogTail::of(job, log))?;
    }
    Ok(shown)
}

async fn read(viewer: &Viewer, project: &ProjectName, spec: &str) -> Answer<Whole> {
    let rhythm = viewer.app().config.timing.rhythm();
    let mut conn = viewer.app().store.read().await?;
    let row = known::project(&mut conn, project).await?;
    let candidates = pointsman_store::releases::candidates(&mut conn, row.id).await?;
    let id = find(spec, &candidates)?;
    let release = views::releases::one(&mut conn, id).await?;
    let gone = || pointsman_domain::release::unknown(spec, &candidates, &[]);
    let release = release.ok_or_else(gone)?;
    let job = match release.job {
        Some(number) => views::jobs::one(&mut conn, number).await?,
        None => None,
    };
    let log = match &job {
        Some(job) => tail(&mut conn, job).await?,
        None => None,
    };
    let targets = views::targets::page(&mut conn, None, None, 1000, &rhythm).await?;
    Ok(Whole {
        release,
        job,
        targets: targets
            .into_iter()
            .filter(|target| target.name.project == *project)
            .collect(),
        log,
    })
}

/// A mark, or its end.
#[derive(Debug, Deserialize)]
pub(super) struct Marked {
    mark: MarkName,
    #[serde(default)]
    evidence: String,
    #[serde(default)]
    off: bool,
}

/// `POST /r/{project}/{release}/mark`
pub(super) async fn mark(
    viewer: Viewer,
    Path((project, spec)): Path<(ProjectName, String)>,
    Form(form): Form<Marked>,
) -> Answer<Went> {
    let evidence = form.evidence.trim();
    let said = if form.off {
        Said::Unmarked
    } else {
        Said::Marked((!evidence.is_empty()).then_some(evidence))
    };
    mark_release::execute(
        viewer.app(),
        &viewer.caller.actor,
        &project,
        &spec,
        &form.mark,
        said,
    )
    .await?;
    Ok(Went(format!("/r/{project}/{spec}")))
}

/// Whether it is kept whatever happens.
#[derive(Debug, Deserialize)]
pub(super) struct Pinned {
    #[serde(default)]
    reason: String,
    pinned: bool,
}

/// `POST /r/{project}/{release}/pin`
pub(super) async fn pin(
    viewer: Viewer,
    Path((project, spec)): Path<(ProjectName, String)>,
    Form(form): Form<Pinned>,
) -> Answer<Went> {
    let reason = form.reason.trim();
    let wish = PinRequest {
        pinned: form.pinned,
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
    };
    pin_release::execute(viewer.app(), &viewer.caller.actor, &project, &spec, &wish).await?;
    Ok(Went(format!("/r/{project}/{spec}")))
}
