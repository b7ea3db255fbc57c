//! How far environments are apart in commits, counted in mirrors while nobody waits; and the projects that the viewer works
//! with. What the overview tells beside what is live.

use std::collections::BTreeMap;

use askama::Template;
use pointsman_shared::name::{ProjectName, TargetName};
use pointsman_shared::repository::CommitId;
use pointsman_store::views::matrix::Cell;
use pointsman_store::{StoreResult, views};

use super::viewer::Viewer;
use crate::app::App;
use crate::mirrors::{self, Distance};

/// Projects of one's own that are offered: as many as there are keys for them.
const MINE: i64 = 5;

/// The viewer's own projects.
#[derive(Template)]
#[template(path = "mine.html")]
pub(super) struct Mine {
    projects: Vec<ProjectName>,
}

impl Mine {
    /// Those that the viewer built or deployed last.
    pub(super) async fn of(viewer: &Viewer) -> StoreResult<Self> {
        let mut conn = viewer.app().store.read().await?;
        let principal = viewer.caller.actor.principal;
        Ok(Self {
            projects: views::own::projects(&mut conn, principal, viewer.sight().as_deref(), MINE).await?,
        })
    }
}

/// What the environment before has, and what of it is missing here.
pub(super) struct Behind {
    pub(super) environment: String,
    pub(super) release: String,
    pub(super) commits: Option<usize>,
}

/// How many commits each target is behind the one before it in the order of promotion, as far as that is counted. What is
/// not yet is counted after the page was drawn.
pub(super) fn counted(app: &App, targets: &[Cell]) -> BTreeMap<TargetName, usize> {
    let live: Vec<_> = targets
        .iter()
        .filter_map(|target| Some((target, target.commit.as_ref()?)))
        .collect();
    let mut known = BTreeMap::new();
    let mut unknown = Vec::new();
    for pair in live.windows(2) {
        let [(before, has), (here, lacks)] = pair else {
            continue;
        };
        if before.project != here.project || has == lacks {
            continue;
        }
        let way = (here.project, CommitId::clone(lacks), CommitId::clone(has));
        match mirrors::distance_known(app, &way) {
            Distance::Commits(commits) => {
                known.insert(here.name.clone(), commits);
            }
            Distance::Unknown => {}
            Distance::Uncounted => unknown.push(way),
        }
    }
    mirrors::count_soon(app, unknown);
    known
}
