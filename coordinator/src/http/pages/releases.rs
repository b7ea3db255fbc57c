//! One release: where it comes from, how it was built, where it is live, what people said of it.

use askama::Template;
use axum::extract::Form;
use pointsman_domain::Action;
use pointsman_shared::api::garbage::PinRequest;
use pointsman_shared::api::jobs::Job;
use pointsman_shared::api::projects::{Placement, Target};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::name::{HostId, MarkName, ProjectName, TargetName};
use pointsman_store::{StoreError, views};
use serde::{Deserialize, Serialize};

use super::super::extract::Path;
use super::super::problem::Answer;
use super::deployments::LogOf;
use super::format::{self, Standing};
use super::log::window::Window;
use super::shown::{Mood, Place, Shown, Went};
use super::viewer::Viewer;
use crate::operations::mark_release::{self, Said};
use crate::operations::{find_release, pin_release};

#[derive(Serialize)]
struct Whole {
    release: Release,
    job: Option<Job>,
    #[serde(skip)]
    targets: Vec<Target>,
    #[serde(skip)]
    log: Option<Window>,
}

#[derive(Template)]
#[template(path = "release_head.html")]
struct Head<'a> {
    release: &'a Release,
    standing: Standing,
    size: Option<String>,
    targets: Vec<&'a Target>,
    live: Vec<Live<'a>>,
    pinned: bool,
    proof: &'a str,
    may: bool,
}

/// A target that has it live on some of its hosts.
struct Live<'a> {
    target: &'a TargetName,
    hosts: Vec<&'a HostId>,
    of: usize,
}

#[derive(Template)]
#[template(path = "release_steps.html")]
struct Steps<'a> {
    rows: Vec<StepRow<'a>>,
    tries: u32,
    total: Option<String>,
    waited: Option<String>,
}

struct StepRow<'a> {
    name: &'a str,
    standing: Standing,
    took: String,
    /// Its milliseconds, and those of all steps.
    share: Option<(u64, u64)>,
}

/// `GET /r/{project}/{release}`
pub(super) async fn show(
    viewer: Viewer,
    Path((project, spec)): Path<(ProjectName, String)>,
) -> Answer<Shown> {
    let whole = read(&viewer, &project, &spec).await?;
    let release = &whole.release;
    let head = Head {
        release,
        standing: format::release(release.state),
        size: release.total_bytes.map(format::bytes),
        targets: whole
            .targets
            .iter()
            .filter(|_| release.state == ReleaseState::Built)
            .collect(),
        live: whole
            .targets
            .iter()
            .filter_map(|target| live(target, release))
            .collect(),
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
    if let Some(job) = whole.job.as_ref().filter(|job| !job.steps.is_empty()) {
        shown = shown.with("steps", &steps(job))?;
    }
    if let (Some(job), Some(log)) = (&whole.job, &whole.log) {
        let of = LogOf::of(job, &[], String::new());
        if let Some(cards) = log.cards() {
            shown = shown.with("causes", cards)?;
        }
        shown = shown.with("log", &of)?.with("lines", &log.drawing())?;
    }
    Ok(shown)
}

/// Where in a target it is live.
fn live<'a>(target: &'a Target, release: &Release) -> Option<Live<'a>> {
    let has_it = |placement: &&Placement| placement.confirmed.as_ref() == Some(&release.label);
    let hosts: Vec<_> = target.placements.iter().filter(has_it).collect();
    (!hosts.is_empty()).then(|| Live {
        target: &target.name,
        hosts: hosts.into_iter().map(|placement| &placement.host).collect(),
        of: target.placements.len(),
    })
}

/// The steps of the last try, with what share of its time each took.
fn steps(job: &Job) -> Steps<'_> {
    let tries = job.steps.iter().map(|step| step.epoch).max().unwrap_or_default();
    let last = || job.steps.iter().filter(|step| step.epoch == tries);
    let all: u64 = last().filter_map(|step| step.duration_ms).sum();
    Steps {
        rows: last()
            .map(|step| StepRow {
                name: &step.name,
                standing: format::step(&step.state),
                took: step.duration_ms.map(format::duration).unwrap_or_default(),
                share: step.duration_ms.map(|took| (took, all.max(1))),
            })
            .collect(),
        tries,
        total: (all > 0).then(|| format::duration(all)),
        waited: job
            .started_at
            .map(|started| format::duration(format::between(job.created_at, started))),
    }
}

async fn read(viewer: &Viewer, project: &ProjectName, spec: &str) -> Answer<Whole> {
    let rhythm = viewer.app().config.timing.rhythm();
    let mut conn = viewer.app().store.read().await?;
    let id = find_release::to_look_at(&mut conn, project, spec).await?.id;
    let release = views::releases::one(&mut conn, id).await?;
    let release =
        release.ok_or_else(|| StoreError::inconsistent("release", id, "it was found and is not shown"))?;
    let job = match release.job {
        Some(number) => views::jobs::one(&mut conn, number).await?,
        None => None,
    };
    let log = match &job {
        Some(job) => Window::tail(viewer.app(), &mut conn, job).await?,
        None => None,
    };
    let of_project = [project.to_string()];
    let wanted = views::targets::Wanted::of_projects(&of_project);
    Ok(Whole {
        release,
        job,
        targets: views::targets::page(&mut conn, wanted, i64::MAX, &rhythm).await?,
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
