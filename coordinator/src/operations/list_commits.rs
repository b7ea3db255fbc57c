//! The newest commits of a branch as it was last fetched, and which of them are not built. Reading fetches nothing.

use std::collections::HashMap;

use pointsman_domain::Refusal;
use pointsman_domain::release::Candidate;
use pointsman_shared::api::refs::{BranchCommit, BranchCommits, RefRelease};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::repository::CommitId;
use pointsman_store::projects::ProjectRow;
use pointsman_store::releases;

use crate::app::App;
use crate::error::OperationResult;
use crate::mirrors;

/// Commits that are looked at.
const MOST: usize = 100;

/// Reads them.
pub async fn execute(app: &App, project: &ProjectRow, branch: &str) -> OperationResult<BranchCommits> {
    let candidates = releases::candidates(&mut *app.store.read().await?, project.id).await?;
    let found = mirrors::newest(app, project, branch.to_owned(), MOST).await?;
    let commits = found.ok_or_else(|| {
        let what = format!(
            "{} has no branch {branch:?}, as it was last fetched",
            project.name
        );
        Refusal::not_found("unknown_ref", what)
            .hint(format!("pointsman project refs {} --fetch", project.name))
    })?;
    let looked_at = commits.len();
    // Newest first: what was built counts before what was not, the newer before the older.
    let mut known: HashMap<&CommitId, &Candidate> = HashMap::new();
    for candidate in &candidates {
        let kept = known.entry(&candidate.commit).or_insert(candidate);
        if kept.state != ReleaseState::Built && candidate.state == ReleaseState::Built {
            *kept = candidate;
        }
    }
    let release = |id: &str| known.get(&id.parse::<CommitId>().ok()?).copied();
    let unbuilt = commits.into_iter().filter_map(|commit| {
        let release = release(&commit.id);
        let built = release.is_some_and(|release| release.state == ReleaseState::Built);
        (!built).then(|| BranchCommit {
            release: release.map(|release| RefRelease {
                number: release.number,
                label: release.label.clone(),
                state: release.state,
            }),
            commit,
        })
    });
    Ok(BranchCommits {
        branch: branch.to_owned(),
        commits: unbuilt.collect(),
        looked_at: looked_at as u64,
        more: looked_at == MOST,
    })
}
