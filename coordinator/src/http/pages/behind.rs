//! How far environments are apart in commits, counted in mirrors while nobody waits; and the projects that the viewer works
//! with. What the overview tells beside what is live.

use std::collections::BTreeMap;

use askama::Template;
use pointsman_shared::name::{ProjectName, TargetName};
use pointsman_store::views::live_commits::LiveCommit;
use pointsman_store::{PgConnection, StoreResult, views};

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
pub(super) async fn counted(
    app: &App,
    conn: &mut PgConnection,
    projects: &[String],
) -> StoreResult<BTreeMap<TargetName, usize>> {
    let live = views::live_commits::of_projects(conn, projects).await?;
    let mut known = BTreeMap::new();
    let mut unknown = Vec::new();
    for pair in live.windows(2) {
        let [before, here] = pair else { continue };
        if !is_step(before, here) {
            continue;
        }
        let way = (here.project, here.commit.clone(), before.commit.clone());
        match mirrors::distance_known(app, &way) {
            Distance::Commits(commits) => {
                known.insert(here.target.clone(), commits);
            }
            Distance::Unknown => {}
            Distance::Uncounted => unknown.push(way),
        }
    }
    mirrors::count_soon(app, unknown);
    Ok(known)
}

fn is_step(before: &LiveCommit, here: &LiveCommit) -> bool {
    before.project == here.project && before.commit != here.commit
}
