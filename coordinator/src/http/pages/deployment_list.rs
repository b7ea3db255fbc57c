//! The list of deployments, narrowed by what its form says, as a page and as a file.

use askama::Template;
use axum::response::Response;
use pointsman_shared::api::deployments::{Deployment, ListedState};
use pointsman_store::{deployments, views};
use serde::Deserialize;

use super::super::extract::{Query, filled};
use super::super::problem::Answer;
use super::csv::Csv;
use super::deployments::took;
use super::format::{self, Standing};
use super::scope::Scope;
use super::shown::{Place, Shown};
use super::stages::{self, Waits};
use super::viewer::Viewer;

/// Rows of a page.
const ROWS: i64 = 50;
/// Rows of a file, and of each reading for it: a deployment is told by all of its jobs.
const MOST: usize = 5_000;
const READING: i64 = 250;

/// `?target=shop@production&state=failed&who=lucy&release=1.9.1&before=812`
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default, deserialize_with = "filled")]
    target: Option<Scope>,
    #[serde(default, deserialize_with = "filled")]
    state: Option<ListedState>,
    #[serde(default, deserialize_with = "filled")]
    who: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    release: Option<String>,
    #[serde(default)]
    before: Option<i64>,
}

impl Which {
    fn wanted<'a>(&'a self, sight: Option<&'a [String]>) -> views::deployments::Wanted<'a> {
        views::deployments::Wanted {
            target: self.target.as_ref().and_then(Scope::target),
            project: self.target.as_ref().map(Scope::project),
            state: self.state,
            who: self.who.as_deref(),
            release: self.release.as_deref(),
            before: self.before,
            sight,
            brief: true,
        }
    }

    /// Each filter that is set, as the form and the command name it.
    fn filters(&self) -> Vec<(&'static str, String)> {
        let filters = [
            ("target", self.target.as_ref().map(ToString::to_string)),
            ("state", self.state.map(|state| state.as_str().to_owned())),
            ("who", self.who.clone()),
            ("release", self.release.clone()),
        ];
        filters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// The same filters again, for links.
    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.filters());
        query.finish()
    }

    /// The command that lists the same.
    fn command(&self) -> String {
        let words = self.filters().into_iter().map(|(name, value)| match name {
            "target" => format!(" {value}"),
            _ => format!(" --{name} {value}"),
        });
        format!("pointsman deployments{}", words.collect::<String>())
    }
}

#[derive(Template)]
#[template(path = "deployments.html")]
struct List<'a> {
    which: &'a Which,
    states: Vec<(&'static str, String, bool)>,
    query: String,
    rows: Vec<(&'a Deployment, Standing, String)>,
    next: Option<i64>,
}

/// How much of what it took was no work.
fn waited(deployment: &Deployment, waits: &Waits) -> u64 {
    match (deployment.started_at, deployment.ended_at) {
        (Some(from), Some(to)) => stages::waited(waits, deployment.number, from, to),
        _ => 0,
    }
}

/// `GET /d`
pub(super) async fn show(viewer: Viewer, Query(which): Query<Which>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    if let Some(scope) = &which.target {
        scope.check(&viewer, &mut conn).await?;
    }
    let sight = viewer.sight();
    let wanted = which.wanted(sight.as_deref());
    let mut found = views::deployments::page(&mut conn, wanted, ROWS + 1).await?;
    let rows = usize::try_from(ROWS).unwrap_or_default();
    let more = found.len() > rows;
    found.truncate(rows);
    let numbers: Vec<i64> = found.iter().map(|deployment| deployment.number).collect();
    let waits = deployments::waits(&mut conn, &numbers).await?;
    let list = List {
        which: &which,
        states: ListedState::ALL
            .map(|state| {
                let name = state.as_str();
                (name, name.replace('_', " "), which.state == Some(state))
            })
            .into(),
        query: which.query(),
        rows: found
            .iter()
            .map(|deployment| {
                (
                    deployment,
                    format::deployment(deployment.state),
                    took(deployment, waited(deployment, &waits)),
                )
            })
            .collect(),
        next: found.last().filter(|_| more).map(|last| last.number),
    };
    Ok(Shown::new("Deployments", Place::Deployments, &found)?
        .with("deployments", &list)?
        .like(which.command()))
}

/// `GET /d.csv`
pub(super) async fn csv(viewer: Viewer, Query(mut which): Query<Which>) -> Answer<Response> {
    let mut conn = viewer.app().store.read().await?;
    if let Some(scope) = &which.target {
        scope.check(&viewer, &mut conn).await?;
    }
    let sight = viewer.sight();
    let columns = [
        "number",
        "target",
        "release",
        "from",
        "kind",
        "state",
        "summary",
        "reason",
        "requested_by",
        "requested_at",
        "started_at",
        "ended_at",
    ];
    let mut file = Csv::new("deployments.csv", columns);
    let mut written = 0;
    while written < MOST {
        let found = views::deployments::page(&mut conn, which.wanted(sight.as_deref()), READING).await?;
        let Some(last) = found.last() else {
            break;
        };
        which.before = Some(last.number);
        written += found.len();
        for deployment in found {
            file.row(cells(deployment));
        }
    }
    Ok(file.into_answer())
}

fn cells(deployment: Deployment) -> [String; 12] {
    let time = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.to_rfc3339()).unwrap_or_default();
    [
        deployment.number.to_string(),
        deployment.target.to_string(),
        deployment.release.to_string(),
        deployment.from.map(|from| from.to_string()).unwrap_or_default(),
        deployment.kind,
        format::deployment(deployment.state).word.to_owned(),
        deployment.summary,
        deployment.reason.unwrap_or_default(),
        deployment.requested_by,
        deployment.requested_at.to_rfc3339(),
        time(deployment.started_at),
        time(deployment.ended_at),
    ]
}
