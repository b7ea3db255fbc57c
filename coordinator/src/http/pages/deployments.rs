//! A deployment as it goes, host by host, with what a person can do about it.

use std::collections::HashMap;

use askama::Template;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::deployments::{Deployment, DeploymentState, HostProgress};
use pointsman_shared::api::jobs::{Job, JobState};
use pointsman_shared::api::projects::Placement;
use pointsman_shared::name::HostId;
use pointsman_store::views;
use serde::{Deserialize, Serialize};

use super::super::extract::{Path, Query};
use super::super::problem::Answer;
use super::ahead::{self, Ahead};
use super::course;
use super::format::{self, Standing};
use super::log::window::Window;
use super::shown::{Mood, Place, Shown};
use super::viewer::Viewer;
use super::why::{self, Apart};

/// How long it took, once it is over, and that it waited so many milliseconds of it for a person.
pub(super) fn took(deployment: &Deployment, waited: u64) -> String {
    match (deployment.started_at, deployment.ended_at) {
        (Some(from), Some(to)) => format::with_wait(format::between(from, to), waited),
        _ => String::new(),
    }
}

/// All that the page of a deployment shows.
#[derive(Serialize)]
struct Whole {
    deployment: Deployment,
    jobs: Vec<Job>,
    placements: Vec<Placement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead: Option<Ahead>,
    #[serde(skip)]
    log: Option<(Job, Window)>,
}

#[derive(Template)]
#[template(path = "deployment_head.html")]
struct Head<'a> {
    deployment: &'a Deployment,
    standing: Standing,
    from: Option<String>,
    over: Option<String>,
    took: String,
    /// How much of its time was no work, while it goes on.
    waited: Option<String>,
    usual: Option<String>,
    proof: &'a str,
    may: bool,
    turn: Turn,
    may_roll_back: bool,
    may_go_on: bool,
    back: Option<String>,
    /// Hosts where it is live, and hosts in all.
    done: usize,
    all: usize,
    percent: Option<usize>,
}

/// What a person can do about a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing was sent yet: it can be taken back.
    Held,
    /// It goes on.
    Going,
    /// It goes on to its end.
    Ending,
    /// It waits for a decision.
    Paused,
    /// It is over.
    Over,
}

const fn turn(state: DeploymentState) -> Turn {
    match state {
        DeploymentState::Held => Turn::Held,
        DeploymentState::Waiting
        | DeploymentState::Building
        | DeploymentState::Installing
        | DeploymentState::Migrating
        | DeploymentState::Switching
        | DeploymentState::Verifying => Turn::Going,
        DeploymentState::RollingBack | DeploymentState::Cancelling => Turn::Ending,
        DeploymentState::Paused => Turn::Paused,
        DeploymentState::Live
        | DeploymentState::Failed
        | DeploymentState::Cancelled
        | DeploymentState::RolledBack
        | DeploymentState::Superseded
        | DeploymentState::Abandoned => Turn::Over,
    }
}

#[derive(Template)]
#[template(path = "deployment_hosts.html")]
struct Hosts<'a> {
    rows: Vec<HostRow<'a>>,
    ahead: Option<&'a Ahead>,
    proof: &'a str,
    number: i64,
    may_settle: bool,
}

struct HostRow<'a> {
    host: &'a HostId,
    wave: u32,
    standing: Standing,
    /// What is wanted of it and lies there by now, whatever this deployment did.
    now: Option<&'a Placement>,
    health: Standing,
    reason: Option<&'a str>,
    apart: Option<Apart>,
    job: Option<i64>,
    took: Option<String>,
    failed: bool,
}

/// Whose log the page shows, and those that it could show.
#[derive(Template)]
#[template(path = "log_of.html")]
pub(super) struct LogOf<'a> {
    job: &'a Job,
    standing: Standing,
    others: &'a [Job],
    page: String,
}

impl<'a> LogOf<'a> {
    /// A job's, on a page that can show those of others too.
    pub(super) const fn of(job: &'a Job, others: &'a [Job], page: String) -> Self {
        Self {
            job,
            standing: format::job(job.state),
            others,
            page,
        }
    }
}

/// `?job=41`
#[derive(Debug, Deserialize)]
pub(super) struct ShowQuery {
    #[serde(default)]
    job: Option<i64>,
}

/// The page on a phone.
#[derive(Template)]
#[template(path = "share.html")]
struct Share {
    number: i64,
}

/// `GET /d/{number}`
pub(super) async fn show(
    viewer: Viewer,
    Path(number): Path<i64>,
    Query(query): Query<ShowQuery>,
) -> Answer<Shown> {
    let whole = read(&viewer, number, query.job).await?;
    let deployment = &whole.deployment;
    let course = course::read(&viewer, deployment).await?;
    let head = head(&viewer, &whole, course.waited());
    let hosts = Hosts {
        rows: host_rows(&whole),
        ahead: whole.ahead.as_ref(),
        proof: &viewer.proof,
        number,
        may_settle: head.may && head.turn == Turn::Paused,
    };
    let mood = match head.turn {
        Turn::Held | Turn::Going | Turn::Ending => Mood::Running,
        Turn::Paused => Mood::Bad,
        Turn::Over if head.standing.tone == "ok" => Mood::Good,
        Turn::Over if head.standing.tone == "bad" => Mood::Bad,
        Turn::Over => Mood::Quiet,
    };
    let title = match head.percent {
        Some(percent) if head.turn != Turn::Over => {
            format!("{percent}% {} → {}", deployment.release, deployment.target)
        }
        _ => format!("#{number} {} {}", deployment.target, head.standing.word),
    };
    let shown = Shown::new(title, Place::Deployments, &whole)?.with("head", &head)?;
    let shown = course.onward(shown, &viewer, deployment)?.with("hosts", &hosts)?;
    let mut shown = course
        .rest(shown, deployment)?
        .with("share", &Share { number })?
        .in_mood(mood)
        .like(format!("pointsman watch {number}"));
    if let Some((job, log)) = &whole.log {
        let of = LogOf::of(job, &whole.jobs, format!("/d/{number}"));
        if let Some(cards) = log.cards() {
            shown = shown.with("causes", cards)?;
        }
        shown = shown.with("log", &of)?.with("lines", &log.drawing())?;
    }
    Ok(shown)
}

async fn read(viewer: &Viewer, number: i64, job: Option<i64>) -> Answer<Whole> {
    let mut conn = viewer.app().store.read().await?;
    let unknown = || {
        Refusal::not_found("unknown_deployment", format!("there is no deployment #{number}"))
            .hint("the list of deployments shows which there are")
    };
    let deployment = views::deployments::one(&mut conn, number)
        .await?
        .ok_or_else(unknown)?;
    let wanted = views::jobs::Wanted {
        deployment: Some(number),
        ..Default::default()
    };
    let jobs = views::jobs::page(&mut conn, wanted, 500).await?;
    let rhythm = viewer.app().config.timing.rhythm();
    let placements = views::placements::of_deployment(&mut conn, deployment.id, &rhythm).await?;
    let ahead = ahead::read(&mut conn, &deployment).await?;
    // The one asked for; else the newest that went wrong, the one at work, or the last.
    let asked = job.and_then(|number| jobs.iter().find(|job| job.number == number));
    let wrong = || jobs.iter().find(|job| job.state == JobState::Failed);
    let running = || jobs.iter().find(|job| job.state == JobState::Running);
    let last = || jobs.iter().find(|job| job.started_at.is_some());
    let chosen = asked.or_else(wrong).or_else(running).or_else(last).cloned();
    let log = match chosen {
        Some(job) => Window::tail(viewer.app(), &mut conn, &job)
            .await?
            .map(|log| (job, log)),
        None => None,
    };
    Ok(Whole {
        deployment,
        jobs,
        placements,
        ahead,
        log,
    })
}

fn head<'a>(viewer: &'a Viewer, whole: &'a Whole, waited: u64) -> Head<'a> {
    let deployment = &whole.deployment;
    // The judges that would refuse a decision say which are open.
    let has = |word: &str| deployment.ways_out.iter().any(|way| way.contains(word));
    let done = deployment
        .hosts
        .iter()
        .filter(|host| host.state == "live")
        .count();
    let percent = (done * 100).checked_div(deployment.hosts.len());
    let usual = deployment.left.map(|left| format::usual(&left, " left"));
    let overdue = deployment.overdue.map(format::overdue);
    let back = deployment.from.as_ref().map(ToString::to_string);
    let ahead = whole.ahead.as_ref();
    Head {
        deployment,
        standing: format::deployment(deployment.state),
        from: back.clone().or_else(|| ahead?.from.clone()),
        over: ahead.map(Ahead::over),
        took: took(deployment, waited),
        waited: (waited >= 1000 && turn(deployment.state) == Turn::Going).then(|| format::duration(waited)),
        usual: usual.or(overdue),
        proof: &viewer.proof,
        may: viewer.may_in(&deployment.target.project, Action::Deploy),
        turn: turn(deployment.state),
        may_roll_back: has("rollback"),
        may_go_on: has(" continue") || has(" resume "),
        back,
        done,
        all: deployment.hosts.len(),
        percent,
    }
}

fn host_rows(whole: &Whole) -> Vec<HostRow<'_>> {
    let deployment = &whole.deployment;
    let placements: HashMap<&HostId, &Placement> = whole
        .placements
        .iter()
        .map(|placement| (&placement.host, placement))
        .collect();
    let row = |progress: &'_ HostProgress| {
        let now = placements.get(&progress.host).copied();
        // An older deployment is not asked why something else is there by now.
        let asked = now.filter(|now| {
            progress.reason.is_none()
                && deployment.state.is_final()
                && now.desired.as_ref() == Some(&deployment.release)
        });
        (
            now,
            asked.and_then(|now| why::apart(&deployment.target, None, now)),
        )
    };
    deployment
        .hosts
        .iter()
        .map(|progress| {
            let (now, apart) = row(progress);
            HostRow {
                host: &progress.host,
                wave: progress.wave,
                standing: format::host(&progress.state),
                now,
                health: now.map_or(format::UNKNOWN, |now| format::health(&now.health)),
                reason: progress.reason.as_deref(),
                apart,
                job: progress.job,
                took: progress.duration_ms.map(format::duration),
                failed: progress.state == "failed",
            }
        })
        .collect()
}
