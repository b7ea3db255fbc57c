//! One target: what is live on each of its hosts, how it came there, and what can be done.

use askama::Template;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::api::locks::Lock;
use pointsman_shared::api::projects::{Placement, Target};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::name::TargetName;
use pointsman_store::targets::TargetRow;
use pointsman_store::{locks, views};
use serde::Serialize;

use super::super::extract::Path;
use super::super::problem::Answer;
use super::format::{self, Standing};
use super::shown::{Place, Shown, Went};
use super::viewer::Viewer;
use super::why::{self, Apart};
use crate::operations::foresee_rollback::{self, Foreseen};
use crate::operations::{known, pause_pushes};

#[derive(Serialize)]
struct Whole {
    target: Target,
    lock: Option<Lock>,
    deployments: Vec<Deployment>,
    releases: Vec<Release>,
}

#[derive(Template)]
#[template(path = "target_head.html")]
struct Head<'a> {
    target: &'a Target,
    lock: Option<&'a Lock>,
    releases: Vec<&'a Release>,
    open: Option<(&'a Deployment, Standing)>,
    back: Option<&'a Foreseen>,
    proof: &'a str,
    may: bool,
}

#[derive(Template)]
#[template(path = "target_hosts.html")]
struct Hosts<'a> {
    rows: Vec<HostRow<'a>>,
}

struct HostRow<'a> {
    placement: &'a Placement,
    standing: Standing,
    health: Standing,
    why: Option<Apart>,
}

#[derive(Template)]
#[template(path = "target_history.html")]
struct History<'a> {
    target: &'a TargetName,
    rows: Vec<(&'a Deployment, Standing)>,
}

/// `GET /t/{target}`
pub(super) async fn show(viewer: Viewer, Path(name): Path<TargetName>) -> Answer<Shown> {
    let may = viewer.may_in(&name.project, Action::Deploy);
    let (row, whole) = read(&viewer, &name).await?;
    let target = &whole.target;
    let open = whole
        .deployments
        .iter()
        .find(|deployment| Some(deployment.number) == target.open_deployment);
    // While something is open there the way back is decided on its page.
    let back = if may && open.is_none() && target.desired.is_some() {
        Some(foresee_rollback::execute(viewer.app(), &row).await?)
    } else {
        None
    };
    let head = Head {
        target,
        lock: whole.lock.as_ref(),
        releases: whole
            .releases
            .iter()
            .filter(|release| release.state == ReleaseState::Built)
            .collect(),
        open: open.map(|open| (open, format::deployment(open.state))),
        back: back.as_ref(),
        proof: &viewer.proof,
        may,
    };
    let hosts = Hosts {
        rows: target
            .placements
            .iter()
            .map(|placement| HostRow {
                placement,
                standing: wanted(target, placement),
                health: format::health(&placement.health),
                why: why::apart(&name, target.open_deployment, placement),
            })
            .collect(),
    };
    let history = History {
        target: &name,
        rows: whole
            .deployments
            .iter()
            .map(|deployment| (deployment, format::deployment(deployment.state)))
            .collect(),
    };
    Ok(Shown::new(name.to_string(), Place::Projects, &whole)?
        .with("target", &head)?
        .with("hosts", &hosts)?
        .with("history", &history)?
        .like(format!("pointsman status {name}")))
}

/// Whether a host runs what is wanted there; apart from whether that works.
fn wanted(target: &Target, placement: &Placement) -> Standing {
    if !placement.seen {
        return Standing {
            sign: "?",
            word: "host not seen",
            tone: "unknown",
        };
    }
    if placement.drift.is_some() {
        return Standing {
            sign: "~",
            word: "drift",
            tone: "warn",
        };
    }
    if target.desired.is_none() {
        return Standing {
            sign: "–",
            word: "nothing wanted",
            tone: "unknown",
        };
    }
    if placement.confirmed == target.desired {
        return Standing {
            sign: "✓",
            word: "as wanted",
            tone: "ok",
        };
    }
    Standing {
        sign: "…",
        word: "behind",
        tone: "warn",
    }
}

async fn read(viewer: &Viewer, name: &TargetName) -> Answer<(TargetRow, Whole)> {
    let rhythm = viewer.app().config.timing.rhythm();
    let mut conn = viewer.app().store.read().await?;
    let row = known::target(&mut conn, name).await?;
    let target = views::targets::one(&mut conn, name, &rhythm).await?;
    let gone = || Refusal::not_found("unknown_target", format!("there is no target {name}"));
    let now = pointsman_store::now(&mut conn).await?;
    let mut all = locks::all(&mut conn, now).await?.into_iter();
    let wanted = views::deployments::Wanted {
        target: Some(name),
        brief: true,
        ..Default::default()
    };
    let whole = Whole {
        target: target.ok_or_else(gone)?,
        lock: all.find(|lock| lock.target.as_ref() == Some(name)),
        deployments: views::deployments::page(&mut conn, wanted, 15).await?,
        releases: views::releases::page(&mut conn, &name.project, None, 50).await?,
    };
    Ok((row, whole))
}

/// `POST /t/{target}/pushes`
pub(super) async fn resume_pushes(viewer: Viewer, Path(target): Path<TargetName>) -> Answer<Went> {
    pause_pushes::resume(viewer.app(), &viewer.caller.actor, &target).await?;
    Ok(Went(format!("/t/{target}")))
}
