//! What the overview shows, read as of now: three readings side by side, none of which waits for a connection while it holds
//! one. The past is another module's.

use std::collections::BTreeMap;

use pointsman_shared::api::deployments::{Deployment, ListedState};
use pointsman_shared::api::locks::Lock;
use pointsman_shared::name::TargetName;
use pointsman_store::PgConnection;
use pointsman_store::views::matrix;
use pointsman_store::views::outcomes::Outcome;
use pointsman_store::{StoreResult, environments, locks, views};
use serde::Serialize;

use super::super::behind;
use super::super::needs::{self, Troubles};
use super::super::viewer::Viewer;
use super::OverviewQuery;

/// Projects on one page.
pub(in super::super) const ROWS: i64 = 20;
/// Deployments under way that are looked through.
const OPEN: i64 = 200;
/// Outcomes of a strip.
const STRIP: i64 = 20;

/// One snapshot of what the page shows.
#[derive(Serialize)]
pub(super) struct Snapshot {
    pub(super) environments: Vec<String>,
    pub(super) targets: Vec<matrix::Cell>,
    pub(super) open: Vec<Deployment>,
    pub(super) locks: Vec<Lock>,
    #[serde(skip)]
    pub(super) hosts: i64,
    #[serde(skip)]
    pub(super) next: Option<String>,
    #[serde(skip)]
    pub(super) outcomes: BTreeMap<String, Vec<Outcome>>,
    #[serde(skip)]
    pub(super) behind: BTreeMap<TargetName, usize>,
}

/// What needs somebody is read beside the rest, but where the rest depends on it.
pub(super) async fn read(viewer: &Viewer, query: &OverviewQuery) -> StoreResult<(Snapshot, Troubles)> {
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
    let store = &viewer.app().store;
    let sight = viewer.sight();
    let mut conn = store.read().await?;
    let open = views::deployments::Wanted {
        state: Some(ListedState::Open),
        sight: sight.as_deref(),
        ..Default::default()
    };
    let open = views::deployments::page(&mut conn, open, OPEN).await?;
    let chosen = troubles.map(|troubles| troubles.projects(&open));
    let mut projects = projects(&mut conn, sight.as_deref(), query, chosen).await?;
    // Given back: whoever holds one connection never waits for another.
    drop(conn);
    let rows = usize::try_from(ROWS).unwrap_or_default();
    let more = projects.len() > rows;
    projects.truncate(rows);
    // Strips are most of the rest of the reading, and stand beside it.
    let strips = async { views::outcomes::last(&mut *store.read().await?, &projects, STRIP).await };
    let (outcomes, standing) = tokio::try_join!(strips, Standings::read(viewer, &projects))?;
    Ok(Snapshot {
        behind: behind::counted(viewer.app(), &standing.targets),
        environments: standing.environments,
        open,
        locks: standing.locks,
        hosts: standing.hosts,
        targets: standing.targets,
        next: projects.last().filter(|_| more).cloned(),
        outcomes,
    })
}

/// How the targets of some projects stand, and what holds them up.
struct Standings {
    targets: Vec<matrix::Cell>,
    environments: Vec<String>,
    locks: Vec<Lock>,
    hosts: i64,
}

impl Standings {
    async fn read(viewer: &Viewer, projects: &[String]) -> StoreResult<Self> {
        let app = viewer.app();
        let mut conn = app.store.read().await?;
        let absent = views::hosts::absent(&mut conn, &app.config.timing.rhythm()).await?;
        let targets = matrix::of_projects(&mut conn, projects, &absent).await?;
        let mut environments = environments::names(&mut conn).await?;
        let now = pointsman_store::now(&mut conn).await?;
        let mut locks = locks::all(&mut conn, now).await?;
        if !viewer.sees_everything() {
            let has = |name: &String| targets.iter().any(|it| it.name.environment.as_str() == name);
            environments.retain(has);
            locks.retain(|lock| {
                lock.target
                    .as_ref()
                    .is_none_or(|target| viewer.sees(&target.project))
            });
        }
        // Asked where nothing else is there to be seen.
        let hosts = if targets.is_empty() {
            views::hosts::count(&mut conn).await?
        } else {
            0
        };
        Ok(Self {
            targets,
            environments,
            locks,
            hosts,
        })
    }
}

/// The projects of this page, and one more where there are more; of those with troubles alone, where they are asked for.
pub(in super::super) async fn projects(
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
