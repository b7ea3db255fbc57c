//! What the mirrors of this coordinator know without asking anybody. Pages are drawn often, so that nothing here fetches;
//! and what was counted once is remembered, because the distance of two commits never changes.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use pointsman_git::{Error, Head, Mirror, RefEntry};
use pointsman_shared::api::plans::{CommitLine, PlannedCommits};
use pointsman_shared::ids::ProjectId;
use pointsman_shared::repository::CommitId;
use pointsman_store::projects::{self, ProjectRow};

use super::history::{commit_line, planned};
use super::{StopOnDrop, refusal, transport};
use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// Distances that are remembered.
const MOST_DISTANCES: usize = 20_000;
/// Refs that are looked at closely; of the others only names are told.
const CLOSELY: usize = 100;

/// From one commit to another, in a project.
pub type Way = (ProjectId, CommitId, CommitId);

/// What was read and counted in mirrors.
#[derive(Debug, Default)]
pub struct Remembered {
    distances: Mutex<HashMap<Way, Option<usize>>>,
    refs: Mutex<HashMap<ProjectId, (Stamp, Arc<Refs>)>>,
    /// Whether somebody counts.
    counting: AtomicBool,
}

/// What refs were read for: a fetch, and so many built releases up to this one.
type Stamp = (SystemTime, usize);

/// The refs of a mirror.
#[derive(Debug)]
pub struct Refs {
    /// When they were fetched.
    pub fetched_at: SystemTime,
    /// All of them, newest commit first.
    pub names: Vec<RefEntry>,
    /// The newest of them, looked at closely.
    pub heads: Vec<Head>,
}

/// The refs of a project, and how far each is from the nearest of `built`; none = nothing was fetched here yet.
pub async fn refs(
    app: &App,
    project: &ProjectRow,
    built: BTreeSet<CommitId>,
) -> OperationResult<Option<Arc<Refs>>> {
    let remembered = {
        let kept = app.mirrors.refs.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&project.id).cloned()
    };
    let many = built.len();
    let known = remembered.clone().map(|(stamp, _)| stamp);
    let read = glance(app, project, move |mirror| {
        let Some(fetched_at) = mirror.fetched_at() else {
            return Ok(None);
        };
        if known == Some((fetched_at, many)) {
            return Ok(Some(None));
        }
        let Some(names) = mirror.known_refs()? else {
            return Ok(None);
        };
        let closely = names.get(..CLOSELY.min(names.len())).unwrap_or_default();
        let Some(heads) = mirror.heads(closely, &built)? else {
            return Ok(None);
        };
        Ok(Some(Some(Refs {
            fetched_at,
            names,
            heads,
        })))
    });
    Ok(match read.await? {
        None => None,
        Some(None) => remembered.map(|(_, refs)| refs),
        Some(Some(refs)) => {
            let refs = Arc::new(refs);
            let mut kept = app.mirrors.refs.lock().unwrap_or_else(PoisonError::into_inner);
            kept.insert(project.id, ((refs.fetched_at, many), Arc::clone(&refs)));
            Some(refs)
        }
    })
}

/// How far a commit is from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// Nobody counted yet.
    Uncounted,
    /// The mirror cannot tell.
    Unknown,
    /// So many commits lead to it and not to the other.
    Commits(usize),
}

/// How far a commit is from another, as far as it was counted already.
pub fn distance_known(app: &App, way: &Way) -> Distance {
    let kept = app
        .mirrors
        .distances
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    match kept.get(way) {
        None => Distance::Uncounted,
        Some(None) => Distance::Unknown,
        Some(Some(commits)) => Distance::Commits(*commits),
    }
}

/// Counts distances while nobody waits: whoever asked shows them the next time. One at a time counts.
pub fn count_soon(app: &App, ways: Vec<Way>) {
    if ways.is_empty() || app.mirrors.counting.swap(true, Ordering::SeqCst) {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        for way in ways {
            if let Err(error) = count(&app, way).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "commits could not be counted"
                );
            }
        }
        app.mirrors.counting.store(false, Ordering::SeqCst);
    });
}

async fn count(app: &App, way: Way) -> OperationResult<()> {
    let Some(project) = projects::get(&mut *app.store.read().await?, way.0).await? else {
        return Ok(());
    };
    let (from, to) = (way.1.clone(), way.2.clone());
    let counted = glance(app, &project, move |mirror| mirror.distance(&from, &to)).await;
    match counted {
        Ok(counted) => {
            remember(app, way, counted);
            Ok(())
        }
        // It is not tried again with each page: the next fetch may tell.
        Err(error) => {
            remember(app, way, None);
            Err(error)
        }
    }
}

fn remember(app: &App, way: Way, counted: Option<usize>) {
    let mut kept = app
        .mirrors
        .distances
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST_DISTANCES {
        kept.clear();
    }
    kept.insert(way, counted);
}

/// Forgets what mirrors of a project could not tell: it was fetched.
pub(super) fn forget_gaps(app: &App, project: ProjectId) {
    let mut kept = app
        .mirrors
        .distances
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    kept.retain(|(of, _, _), counted| *of != project || counted.is_some());
}

/// The commits that come and go from one commit to another, as far as the mirror knows both; at most `most` each way.
pub async fn between(
    app: &App,
    project: &ProjectRow,
    from: &CommitId,
    to: &CommitId,
    most: usize,
) -> OperationResult<Option<PlannedCommits>> {
    let (from, to) = (from.clone(), to.clone());
    let read = glance(app, project, move |mirror| {
        // One more than is shown, to see whether there are more.
        mirror.between(&from, &to, most + 1)
    });
    Ok(read.await?.map(|changes| planned(changes, most)))
}

/// The commits of the first of `branches` that is there, which `than` has not; at most `most`.
pub async fn newer(
    app: &App,
    project: &ProjectRow,
    branches: Vec<String>,
    than: &CommitId,
    most: usize,
) -> OperationResult<Option<(String, Vec<CommitLine>)>> {
    let than = than.clone();
    let listed = glance(app, project, move |mirror| {
        for branch in branches {
            if let Some(commits) = mirror.newer(&branch, &than, most)? {
                return Ok(Some((branch, commits)));
            }
        }
        Ok(None)
    });
    let listed = listed.await?;
    Ok(listed.map(|(branch, commits)| (branch, commits.into_iter().map(commit_line).collect())))
}

/// The newest commits of a branch, at most `most`; none where the mirror does not have it.
pub async fn newest(
    app: &App,
    project: &ProjectRow,
    branch: String,
    most: usize,
) -> OperationResult<Option<Vec<CommitLine>>> {
    let listed = glance(app, project, move |mirror| mirror.newest(&branch, most)).await?;
    Ok(listed.map(|commits| commits.into_iter().map(commit_line).collect()))
}

/// Reads the mirror as it is; none where there is none.
async fn glance<T: Send + 'static>(
    app: &App,
    project: &ProjectRow,
    work: impl FnOnce(&Mirror) -> Result<Option<T>, Error> + Send + 'static,
) -> OperationResult<Option<T>> {
    let guard = StopOnDrop::default();
    let transport = transport(app, project, &guard).await?;
    let url = project.repository.clone();
    let folder = app
        .config
        .git
        .mirrors
        .join(transport.mirror_name(&url, project.id));
    let done = tokio::task::spawn_blocking(move || {
        if !folder.is_dir() {
            return Ok(None);
        }
        let mirror = Mirror::open(&folder, &url, &transport)?;
        work(&mirror)
    })
    .await;
    drop(guard);
    match done {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(refusal(error)),
        Err(died) => Err(OperationError::internal("looking at a mirror", died)),
    }
}
