//! The course of a deployment: how long each stage took, what comes next, whether there is a way back, the commits it
//! brought, and what people decided on its way.

use askama::Template;
use chrono::{DateTime, Utc};
use pointsman_domain::deployment::RollbackDecision;
use pointsman_domain::tickets::TicketLinks;
use pointsman_domain::{Action, forecast};
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::api::plans::{PlannedCommits, Usual};
use pointsman_shared::api::tokens::AuditEntry;
use pointsman_shared::name::TargetName;
use pointsman_store::views::matrix::Cell;
use pointsman_store::views::way_back::Ready;
use pointsman_store::{deployments, projects, views};

use super::super::problem::Answer;
use super::filters;
use super::format;
use super::me::Me;
use super::shown::Shown;
use super::stages::{self, StageRow};
use super::viewer::Viewer;
use crate::mirrors;

/// Commits listed each way.
const MOST_COMMITS: usize = 100;
/// Decisions listed.
const MOST_DECISIONS: i64 = 50;

/// All of it.
pub(super) struct Course {
    stages: Vec<StageRow>,
    verdict: Option<String>,
    waited: u64,
    next: Option<TargetName>,
    ready: Option<(Ready, Option<Usual>)>,
    commits: Option<PlannedCommits>,
    decisions: Vec<Decision>,
    reason: Option<String>,
    me: Me,
    tickets: TicketLinks,
}

#[derive(Template)]
#[template(path = "deployment_onward.html")]
struct Onward<'a> {
    deployment: &'a Deployment,
    next: Option<&'a TargetName>,
    way_back: Option<String>,
    ready: Option<Ready>,
    proof: &'a str,
    may: bool,
    over: bool,
}

#[derive(Template)]
#[template(path = "deployment_stages.html")]
struct Stages<'a> {
    number: i64,
    rows: &'a [StageRow],
    verdict: Option<&'a str>,
    longest: u64,
}

#[derive(Template)]
#[template(path = "deployment_commits.html")]
struct Commits<'a> {
    listed: &'a PlannedCommits,
    tickets: &'a TicketLinks,
    me: &'a Me,
    yours: usize,
}

#[derive(Template)]
#[template(path = "deployment_decisions.html")]
struct Decisions<'a> {
    deployment: &'a Deployment,
    reason: Option<&'a str>,
    rows: &'a [Decision],
}

/// What somebody decided on the way.
struct Decision {
    who: String,
    words: String,
    at: DateTime<Utc>,
}

/// Reads it.
pub(super) async fn read(viewer: &Viewer, deployment: &Deployment) -> Answer<Course> {
    let app = viewer.app();
    let mut conn = app.store.read().await?;
    let runs = views::stages::runs(&mut conn, deployment.id).await?;
    let numbers: Vec<i64> = runs.iter().map(|run| run.number).collect();
    let parts = views::stages::of(&mut conn, &numbers).await?;
    let waits = deployments::waits(&mut conn, &numbers).await?;
    let now = pointsman_store::now(&mut conn).await?;
    let change = views::way_back::change(&mut conn, deployment.id).await?;
    let ready = match views::way_back::of(&mut conn, deployment.id).await? {
        Some(ready) => {
            let times = views::way_back::times(&mut conn, &deployment.target).await?;
            Some((ready, forecast::usual(&times)))
        }
        None => None,
    };
    let object = format!("deployment #{}", deployment.number);
    let acts = views::audit::done_to(&mut conn, &object, MOST_DECISIONS).await?;
    let next = if deployment.state == DeploymentState::Live && deployment.kind == "deploy" {
        let of_project = [deployment.target.project.to_string()];
        next(
            &views::matrix::of_projects(&mut conn, &of_project, &[]).await?,
            deployment,
        )
    } else {
        None
    };
    let me = Me::of(&mut conn, viewer).await?;
    let project = projects::get(&mut conn, change.project).await?;
    drop(conn);
    let tickets = TicketLinks::new(project.as_ref().and_then(|project| project.tickets.as_ref()));
    let commits = match (&change.from, project) {
        // A mirror that cannot be read takes nothing from the rest of the page.
        (Some(from), Some(project)) => mirrors::between(app, &project, from, &change.to, MOST_COMMITS)
            .await
            .ok()
            .flatten(),
        _ => None,
    };
    Ok(Course {
        stages: stages::rows(deployment.number, &runs, &parts, &waits, now),
        verdict: stages::verdict(deployment, &runs, &waits),
        waited: deployment.started_at.map_or(0, |from| {
            let to = deployment.ended_at.unwrap_or(now);
            stages::waited(&waits, deployment.number, from, to)
        }),
        next,
        ready,
        commits,
        decisions: decisions(&acts, change.rollback),
        reason: change.reason,
        me,
        tickets,
    })
}

impl Course {
    /// How long the deployment waited for a person, in milliseconds.
    pub(super) const fn waited(&self) -> u64 {
        self.waited
    }

    /// What comes after it and how it goes back: what stands right below the head.
    pub(super) fn onward(&self, shown: Shown, viewer: &Viewer, deployment: &Deployment) -> Answer<Shown> {
        let way_back = self
            .ready
            .map(|(ready, usual)| way_back(ready, usual, deployment));
        let onward = Onward {
            deployment,
            next: self.next.as_ref(),
            way_back,
            ready: self.ready.map(|(ready, _)| ready),
            proof: &viewer.proof,
            may: viewer.may_in(&deployment.target.project, Action::Deploy),
            over: may_be_left(deployment.state),
        };
        shown.with("onward", &onward)
    }

    /// The rest: what stands below the hosts.
    pub(super) fn rest(&self, mut shown: Shown, deployment: &Deployment) -> Answer<Shown> {
        if !self.stages.is_empty() {
            let longest = |row: &StageRow| row.ms.max(row.usual.map_or(0, |usual| usual.high_ms));
            let stages = Stages {
                number: deployment.number,
                rows: &self.stages,
                verdict: self.verdict.as_deref(),
                longest: self.stages.iter().map(longest).max().unwrap_or(1).max(1),
            };
            shown = shown.with("stages", &stages)?;
        }
        if let Some(commits) = &self.commits {
            let commits = Commits {
                listed: commits,
                tickets: &self.tickets,
                me: &self.me,
                yours: self.me.wrote_of(&commits.coming),
            };
            shown = shown.with("commits", &commits)?;
        }
        let decisions = Decisions {
            deployment,
            reason: self.reason.as_deref(),
            rows: &self.decisions,
        };
        shown.with("decisions", &decisions)
    }
}

/// Whether a deployment ended in a way that somebody may want to go back from.
const fn may_be_left(state: DeploymentState) -> bool {
    matches!(
        state,
        DeploymentState::Live
            | DeploymentState::Failed
            | DeploymentState::Cancelled
            | DeploymentState::Abandoned
    )
}

/// The environment after this one, where the release is not live yet.
fn next(targets: &[Cell], deployment: &Deployment) -> Option<TargetName> {
    let has = |target: &Cell| target.desired.as_ref() == Some(&deployment.release);
    let mut after = targets
        .iter()
        .skip_while(|target| target.name != deployment.target);
    // Another release went live here since: that one is what goes on.
    after.next().filter(|here| has(here))?;
    let next = after.next().filter(|next| !has(next))?;
    Some(next.name.clone())
}

/// `6/6 hosts can return to 1.9.0, usually 0.4s`
fn way_back(ready: Ready, usual: Option<Usual>, deployment: &Deployment) -> String {
    let to = deployment.from.as_ref().map_or("nothing", |from| from.as_str());
    let usually = usual.map_or_else(String::new, |usual| {
        format!(", usually {}", format::duration(usual.median_ms))
    });
    format!("{}/{} hosts can return to {to}{usually}", ready.hosts, ready.of)
}

/// What people said of it, and that it was rolled back, in the order of time.
fn decisions(acts: &[AuditEntry], rollback: Option<RollbackDecision>) -> Vec<Decision> {
    let rollback = rollback.map(|decision| Decision {
        who: decision.by.unwrap_or_else(|| "the strategy".to_owned()),
        words: format!("roll back to {}: {}", decision.to.label, decision.reason),
        at: decision.at,
    });
    let said = acts.iter().map(|act| Decision {
        who: act.actor.clone(),
        words: decided(act),
        at: act.at,
    });
    let mut all: Vec<Decision> = said.chain(rollback).collect();
    all.sort_by_key(|decision| decision.at);
    all
}

/// What somebody decided, in words.
fn decided(act: &AuditEntry) -> String {
    let what = act.action.rsplit('.').next().unwrap_or(&act.action);
    let told = ["decision", "hosts", "accepted", "reason"]
        .iter()
        .filter_map(|key| {
            let value = act.detail.get(key)?;
            match value {
                serde_json::Value::String(text) => Some(text.clone()),
                serde_json::Value::Array(items) => {
                    let items: Vec<_> = items.iter().filter_map(|item| item.as_str()).collect();
                    (!items.is_empty()).then(|| items.join(", "))
                }
                serde_json::Value::Null
                | serde_json::Value::Bool(_)
                | serde_json::Value::Number(_)
                | serde_json::Value::Object(_) => None,
            }
        });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {}", told.join("; "))
    }
}
