//! The overview: what needs somebody, and every project in every environment.

use std::collections::BTreeMap;

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::api::fleet::Host;
use pointsman_shared::api::locks::Lock;
use pointsman_shared::api::projects::Target;
use pointsman_shared::name::TargetName;
use pointsman_store::views::outcomes::Outcome;
use pointsman_store::{StoreResult, environments, locks, views};
use serde::Serialize;

use super::super::problem::Answer;
use super::format::{self, Standing};
use super::shown::{Mood, Place, Shown};
use super::viewer::Viewer;

/// Rows of each list at most.
const MOST: i64 = 1000;
/// Outcomes of a strip.
const STRIP: i64 = 20;

/// One snapshot of all.
#[derive(Serialize)]
struct Snapshot {
    environments: Vec<String>,
    targets: Vec<Target>,
    open: Vec<Deployment>,
    locks: Vec<Lock>,
    hosts: Vec<Host>,
    #[serde(skip)]
    outcomes: BTreeMap<TargetName, Vec<Outcome>>,
}

/// Something that needs a person.
struct Need {
    standing: Standing,
    place: String,
    what: String,
    link: String,
}

#[derive(Template)]
#[template(path = "needs.html")]
struct Calls {
    needs: Vec<Need>,
    targets: usize,
    last: Option<(String, i64)>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Matrix<'a> {
    environments: &'a [String],
    rows: Vec<Row<'a>>,
    hosts: usize,
    may_configure: bool,
    sees_everything: bool,
}

struct Row<'a> {
    project: &'a str,
    cells: Vec<Option<Cell<'a>>>,
    strip: Vec<Tick>,
}

struct Tick {
    standing: Standing,
    number: i64,
    label: String,
}

struct Cell<'a> {
    target: &'a TargetName,
    live: Option<String>,
    health: Standing,
    there: usize,
    all: usize,
    drift: usize,
    lock: Option<&'a Lock>,
    open: Option<(&'a Deployment, Standing)>,
    behind: Option<(String, String)>,
    pushes_paused: bool,
}

/// `GET /`
pub(super) async fn show(viewer: Viewer) -> Answer<Shown> {
    let snapshot = read(&viewer).await?;
    let needs = needs(&snapshot);
    let mood = if !needs.is_empty() {
        Mood::Bad
    } else if snapshot.open.is_empty() {
        Mood::Good
    } else {
        Mood::Running
    };
    let last = snapshot
        .outcomes
        .values()
        .flatten()
        .max_by_key(|outcome| outcome.number);
    let last = last.map(|outcome| (outcome.release.clone(), outcome.number));
    let matrix = Matrix {
        environments: &snapshot.environments,
        rows: rows(&snapshot),
        hosts: snapshot.hosts.len(),
        may_configure: viewer.may(Action::Configure),
        sees_everything: viewer.sees_everything(),
    };
    let targets = snapshot.targets.len();
    Ok(Shown::new("Overview", Place::Overview, &snapshot)?
        .with("needs", &Calls { needs, targets, last })?
        .with("matrix", &matrix)?
        .in_mood(mood)
        .like("pointsman status"))
}

async fn read(viewer: &Viewer) -> StoreResult<Snapshot> {
    let app = viewer.app();
    let sight = viewer.sight();
    let rhythm = app.config.timing.rhythm();
    let mut conn = app.store.read().await?;
    let open = views::deployments::Wanted {
        over: Some(false),
        sight: sight.as_deref(),
        ..Default::default()
    };
    let now = pointsman_store::now(&mut conn).await?;
    let targets = views::targets::page(&mut conn, sight.as_deref(), None, MOST, &rhythm).await?;
    let mut environments = environments::names(&mut conn).await?;
    let mut locks = locks::all(&mut conn, now).await?;
    let mut outcomes = views::outcomes::last(&mut conn, STRIP).await?;
    if sight.is_some() {
        let seen = |target: &TargetName| viewer.sees(&target.project);
        let has = |name: &String| targets.iter().any(|it| it.name.environment.as_str() == name);
        environments.retain(has);
        locks.retain(|lock| lock.target.as_ref().is_none_or(seen));
        outcomes.retain(|target, _| seen(target));
    }
    Ok(Snapshot {
        environments,
        targets,
        open: views::deployments::page(&mut conn, open, MOST).await?,
        locks,
        // Of hosts those hear who see everything.
        hosts: match &sight {
            Some(_) => Vec::new(),
            None => views::hosts::page(&mut conn, None, MOST, &rhythm).await?,
        },
        outcomes,
    })
}

/// What needs somebody, worst first.
fn needs(snapshot: &Snapshot) -> Vec<Need> {
    let paused = snapshot
        .open
        .iter()
        .filter(|deployment| deployment.state == DeploymentState::Paused)
        .map(|deployment| Need {
            standing: format::deployment(DeploymentState::Paused),
            place: deployment.target.to_string(),
            what: format!(
                "#{} waits for a decision: {}",
                deployment.number,
                deployment.reason.as_deref().unwrap_or(&deployment.summary)
            ),
            link: format!("/d/{}", deployment.number),
        });
    let failed = snapshot.targets.iter().filter_map(|target| {
        let newest = snapshot.outcomes.get(&target.name)?.first()?;
        let went_wrong = matches!(newest.outcome.as_str(), "failed" | "abandoned" | "rolled_back");
        (went_wrong && target.open_deployment.is_none()).then(|| Need {
            standing: format::outcome(&newest.outcome),
            place: target.name.to_string(),
            what: format!("#{} of {} was the last try", newest.number, newest.release),
            link: format!("/d/{}", newest.number),
        })
    });
    let drifted = snapshot.targets.iter().flat_map(|target| {
        let drifted = target.placements.iter().filter_map(move |placement| {
            let drift = placement.drift.as_ref()?;
            Some(Need {
                standing: DRIFT,
                place: target.name.to_string(),
                what: format!("{}: {drift}", placement.host),
                link: format!("/h/{}", placement.host),
            })
        });
        drifted.collect::<Vec<_>>()
    });
    let troubled = snapshot
        .hosts
        .iter()
        .filter(|host| host.revoked_at.is_none())
        .flat_map(|host| {
            host.problems.iter().map(|problem| Need {
                standing: if host.paused.is_some() { PAUSED } else { HOST },
                place: host.id.to_string(),
                what: problem.clone(),
                link: format!("/h/{}", host.id),
            })
        });
    paused
        .chain(failed)
        .chain(drifted)
        .chain(troubled)
        .take(20)
        .collect()
}

const HOST: Standing = Standing {
    sign: "✕",
    word: "host",
    tone: "bad",
};

/// What a host waits for that somebody paused is known.
const PAUSED: Standing = Standing {
    sign: "‖",
    word: "paused",
    tone: "warn",
};

const DRIFT: Standing = Standing {
    sign: "~",
    word: "drift",
    tone: "warn",
};

/// Targets come by project, so that a project's are neighbours.
fn rows(snapshot: &Snapshot) -> Vec<Row<'_>> {
    let of_one_project = |one: &Target, other: &Target| one.name.project == other.name.project;
    snapshot
        .targets
        .chunk_by(of_one_project)
        .filter_map(|targets| {
            let found = |environment: &String| {
                let is = |target: &&Target| target.name.environment.as_str() == environment;
                targets
                    .iter()
                    .find(is)
                    .map(|target| cell(snapshot, targets, target))
            };
            let mut strip: Vec<&Outcome> = targets
                .iter()
                .filter_map(|target| snapshot.outcomes.get(&target.name))
                .flatten()
                .collect();
            strip.sort_unstable_by_key(|outcome| std::cmp::Reverse(outcome.number));
            strip.truncate(usize::try_from(STRIP).unwrap_or_default());
            Some(Row {
                project: targets.first()?.name.project.as_str(),
                cells: snapshot.environments.iter().map(found).collect(),
                strip: strip.into_iter().rev().map(tick).collect(),
            })
        })
        .collect()
}

fn tick(outcome: &Outcome) -> Tick {
    let standing = format::outcome(&outcome.outcome);
    Tick {
        standing,
        number: outcome.number,
        label: format!("#{} {} {}", outcome.number, outcome.release, standing.word),
    }
}

fn cell<'a>(snapshot: &'a Snapshot, of_project: &'a [Target], target: &'a Target) -> Cell<'a> {
    let there = target
        .placements
        .iter()
        .filter(|placement| target.desired.is_some() && placement.confirmed == target.desired)
        .count();
    let open = snapshot
        .open
        .iter()
        .find(|deployment| Some(deployment.number) == target.open_deployment);
    let before = of_project
        .iter()
        .take_while(|other| other.name != target.name)
        .last()
        .filter(|before| before.desired != target.desired);
    Cell {
        target: &target.name,
        live: target.desired.as_ref().map(ToString::to_string),
        health: health(target),
        there,
        all: target.placements.len(),
        drift: target
            .placements
            .iter()
            .filter(|placement| placement.drift.is_some())
            .count(),
        lock: snapshot
            .locks
            .iter()
            .find(|lock| lock.target.as_ref() == Some(&target.name)),
        open: open.map(|open| (open, format::deployment(open.state))),
        behind: before.and_then(|before| {
            let release = before.desired.as_ref()?.to_string();
            Some((before.name.environment.to_string(), release))
        }),
        pushes_paused: !target.push_pauses.is_empty(),
    }
}

/// Whether what is live works, apart from whether it is what was wanted: a silent host is never called well.
fn health(target: &Target) -> Standing {
    let seen: Vec<_> = target.placements.iter().collect();
    if seen.is_empty() || target.desired.is_none() {
        return Standing {
            sign: "–",
            word: "nothing live",
            tone: "unknown",
        };
    }
    if seen.iter().any(|placement| placement.health == "unhealthy") {
        return format::health("unhealthy");
    }
    let silent = seen.iter().filter(|placement| !placement.seen).count();
    if silent > 0 {
        return Standing {
            sign: "?",
            word: "hosts silent",
            tone: "warn",
        };
    }
    if seen.iter().all(|placement| placement.health == "healthy") {
        return format::health("healthy");
    }
    format::UNKNOWN
}
