//! The overview: what needs somebody, and every project in every environment.

mod snapshot;

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::api::locks::Lock;
use pointsman_shared::name::TargetName;
use pointsman_store::views::matrix;
use pointsman_store::views::outcomes::Outcome;
use serde::Deserialize;

use self::snapshot::Snapshot;
use super::super::extract::Query;
use super::super::problem::Answer;
use super::behind::{Behind, Mine};
use super::format::{self, Standing};
use super::past;
use super::shown::{Mood, Place, Shown};
use super::viewer::Viewer;

pub(super) use self::snapshot::{ROWS, projects};

/// `?q=shop&show=problems&after=pay`
#[derive(Debug, Default, Deserialize)]
pub(super) struct OverviewQuery {
    #[serde(default)]
    pub(super) q: String,
    #[serde(default)]
    pub(super) show: String,
    #[serde(default)]
    pub(super) after: String,
    #[serde(default)]
    pub(super) at: String,
}

impl OverviewQuery {
    fn only_problems(&self) -> bool {
        self.show == "problems"
    }

    /// The same choice, after a project.
    pub(super) fn after(&self, project: &str) -> String {
        let mut address = url::form_urlencoded::Serializer::new("?".to_owned());
        for (name, value) in [
            ("q", self.q.as_str()),
            ("show", &self.show),
            ("at", &self.at),
            ("after", project),
        ] {
            if !value.is_empty() {
                address.append_pair(name, value);
            }
        }
        address.finish()
    }
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Matrix<'a> {
    environments: &'a [String],
    rows: Vec<Row<'a>>,
    hosts: i64,
    may_configure: bool,
    query: &'a OverviewQuery,
    next: Option<String>,
    sees_everything: bool,
    is_stranger: bool,
    proof: &'a str,
}

impl Matrix<'_> {
    /// Whether anything on it can be pressed.
    fn presses(&self) -> bool {
        self.rows.iter().any(|row| row.may_deploy)
    }
}

struct Row<'a> {
    project: &'a str,
    may_deploy: bool,
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
    hosts: matrix::HostCounts,
    lock: Option<&'a Lock>,
    open: Option<(&'a Deployment, Standing)>,
    behind: Option<Behind>,
    pushes_paused: bool,
}

/// `GET /`
pub(super) async fn show(viewer: Viewer, Query(query): Query<OverviewQuery>) -> Answer<Shown> {
    if !query.at.is_empty() {
        return past::show(&viewer, &query).await;
    }
    let ((snapshot, troubles), mine) = tokio::try_join!(snapshot::read(&viewer, &query), Mine::of(&viewer))?;
    let calls = troubles.calls(&snapshot.open);
    let mood = if !calls.is_calm() {
        Mood::Bad
    } else if snapshot.open.is_empty() {
        Mood::Good
    } else {
        Mood::Running
    };
    let matrix = Matrix {
        environments: &snapshot.environments,
        rows: rows(&viewer, &snapshot),
        hosts: snapshot.hosts,
        may_configure: viewer.may(Action::Configure),
        query: &query,
        next: snapshot.next.as_ref().map(|after| query.after(after)),
        sees_everything: viewer.sees_everything(),
        is_stranger: viewer.is_stranger(),
        proof: &viewer.proof,
    };
    let mut shown = Shown::new("Overview", Place::Overview, &snapshot)?;
    // Whoever comes by is told how things stand, and not why: that names hosts, folders and addresses.
    if !viewer.is_stranger() {
        shown = shown.with("mine", &mine)?.with("needs", &calls)?;
    }
    Ok(shown
        .with("matrix", &matrix)?
        .in_mood(mood)
        .like("pointsman status"))
}

/// Targets come by project, so that a project's are neighbours.
fn rows<'a>(viewer: &Viewer, snapshot: &'a Snapshot) -> Vec<Row<'a>> {
    let of_one_project = |one: &matrix::Cell, other: &matrix::Cell| one.name.project == other.name.project;
    snapshot
        .targets
        .chunk_by(of_one_project)
        .filter_map(|targets| {
            let found = |environment: &String| {
                let is = |target: &&matrix::Cell| target.name.environment.as_str() == environment;
                targets
                    .iter()
                    .find(is)
                    .map(|target| cell(snapshot, targets, target))
            };
            let project = &targets.first()?.name.project;
            let strip = snapshot.outcomes.get(project.as_str());
            Some(Row {
                project: project.as_str(),
                may_deploy: viewer.may_in(project, Action::Deploy),
                cells: snapshot.environments.iter().map(found).collect(),
                strip: strip.into_iter().flatten().rev().map(tick).collect(),
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

fn cell<'a>(snapshot: &'a Snapshot, of_project: &'a [matrix::Cell], target: &'a matrix::Cell) -> Cell<'a> {
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
        hosts: target.host_counts,
        lock: snapshot
            .locks
            .iter()
            .find(|lock| lock.target.as_ref() == Some(&target.name)),
        open: open.map(|open| (open, format::deployment(open.state))),
        behind: before.and_then(|before| {
            Some(Behind {
                environment: before.name.environment.to_string(),
                release: before.desired.as_ref()?.to_string(),
                commits: snapshot.behind.get(&target.name).copied(),
            })
        }),
        pushes_paused: target.pushes_paused,
    }
}

/// Whether what is live works, apart from whether it is what was wanted: a silent host is never called well.
fn health(target: &matrix::Cell) -> Standing {
    let hosts = target.host_counts;
    if hosts.all == 0 || target.desired.is_none() {
        return Standing {
            sign: "–",
            word: "nothing live",
            tone: "unknown",
        };
    }
    if hosts.unhealthy > 0 {
        return format::health("unhealthy");
    }
    if hosts.absent > 0 {
        return Standing {
            sign: "?",
            word: "hosts silent",
            tone: "warn",
        };
    }
    if hosts.healthy == hosts.all {
        return format::health("healthy");
    }
    format::UNKNOWN
}
