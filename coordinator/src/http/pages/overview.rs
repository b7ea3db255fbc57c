//! The overview: what needs somebody, and every project in every environment.

use std::collections::BTreeMap;

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::deployments::{Deployment, ListedState};
use pointsman_shared::api::locks::Lock;
use pointsman_shared::name::TargetName;
use pointsman_store::PgConnection;
use pointsman_store::views::matrix;
use pointsman_store::views::outcomes::Outcome;
use pointsman_store::{StoreResult, environments, locks, views};
use serde::{Deserialize, Serialize};

use super::super::extract::Query;
use super::super::problem::Answer;
use super::behind::{self, Behind, Mine};
use super::format::{self, Standing};
use super::needs::{self, Troubles};
use super::past;
use super::shown::{Mood, Place, Shown};
use super::viewer::Viewer;

/// Projects on one page.
pub(super) const ROWS: i64 = 20;
/// Deployments under way that are looked through.
const OPEN: i64 = 200;
/// Outcomes of a strip.
const STRIP: i64 = 20;

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

/// One snapshot of what the page shows.
#[derive(Serialize)]
struct Snapshot {
    environments: Vec<String>,
    targets: Vec<matrix::Cell>,
    open: Vec<Deployment>,
    locks: Vec<Lock>,
    #[serde(skip)]
    hosts: i64,
    #[serde(skip)]
    next: Option<String>,
    #[serde(skip)]
    outcomes: BTreeMap<String, Vec<Outcome>>,
    #[serde(skip)]
    behind: BTreeMap<TargetName, usize>,
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
    let ((snapshot, troubles), mine) = tokio::try_join!(read(&viewer, &query), Mine::of(&viewer))?;
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

/// What needs somebody is read beside the rest, but where the rest depends on it.
async fn read(viewer: &Viewer, query: &OverviewQuery) -> StoreResult<(Snapshot, Troubles)> {
    let troubles = async {
        let sight = viewer.sight();
        let mut conn = viewer.app().store.read().await?;
        needs::read(&mut conn, sight.as_deref(), &viewer.app().config.timing.rhythm()).await
    };
    if query.only_problems() {
        let troubles = troubles.await?;
        return Ok((read_matrix(viewer, query, Some(&troubles)).await?, troubles));
    }
    tokio::try_join!(read_matrix(viewer, query, None), troubles)
}

async fn read_matrix(
    viewer: &Viewer,
    query: &OverviewQuery,
    troubles: Option<&Troubles>,
) -> StoreResult<Snapshot> {
    let app = viewer.app();
    let sight = viewer.sight();
    let mut conn = app.store.read().await?;
    let open = views::deployments::Wanted {
        state: Some(ListedState::Open),
        sight: sight.as_deref(),
        ..Default::default()
    };
    let open = views::deployments::page(&mut conn, open, OPEN).await?;
    let chosen = troubles.map(|troubles| troubles.projects(&open));
    let mut projects = projects(&mut conn, sight.as_deref(), query, chosen).await?;
    let rows = usize::try_from(ROWS).unwrap_or_default();
    let more = projects.len() > rows;
    projects.truncate(rows);
    // Strips are most of the rest of the reading, and stand beside it.
    let strips = async {
        let mut conn = app.store.read().await?;
        views::outcomes::last(&mut conn, &projects, STRIP).await
    };
    let cells = async {
        let absent = views::hosts::absent(&mut conn, &app.config.timing.rhythm()).await?;
        matrix::of_projects(&mut conn, &projects, &absent).await
    };
    let (outcomes, targets) = tokio::try_join!(strips, cells)?;
    let mut environments = environments::names(&mut conn).await?;
    let now = pointsman_store::now(&mut conn).await?;
    let mut locks = locks::all(&mut conn, now).await?;
    if sight.is_some() {
        let has = |name: &String| targets.iter().any(|it| it.name.environment.as_str() == name);
        environments.retain(has);
        locks.retain(|lock| {
            lock.target
                .as_ref()
                .is_none_or(|target| viewer.sees(&target.project))
        });
    }
    Ok(Snapshot {
        behind: behind::counted(app, &targets),
        environments,
        open,
        locks,
        // Asked where nothing else is there to be seen.
        hosts: if targets.is_empty() {
            views::hosts::count(&mut conn).await?
        } else {
            0
        },
        targets,
        next: projects.last().filter(|_| more).cloned(),
        outcomes,
    })
}

/// The projects of this page, and one more where there are more; of those with troubles alone, where they are asked for.
pub(super) async fn projects(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
    query: &OverviewQuery,
    troubled: Option<Vec<String>>,
) -> StoreResult<Vec<String>> {
    let after = Some(query.after.as_str()).filter(|after| !after.is_empty());
    let holding = query.q.trim();
    let Some(mut names) = troubled else {
        return views::projects::with_targets(conn, sight, after, holding, ROWS + 1).await;
    };
    let wanted = |name: &String| after.is_none_or(|after| name.as_str() > after) && name.contains(holding);
    names.retain(wanted);
    Ok(names)
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
