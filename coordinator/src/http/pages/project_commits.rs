//! The commits of a chosen branch that are not built, on the page of a project, each with its build.

use askama::Template;
use pointsman_domain::tickets::TicketLinks;
use pointsman_shared::api::refs::{BranchCommit, BranchCommits};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::name::ProjectName;

use super::filters;
use super::format::Standing;

/// Commits that are listed.
const MOST: usize = 40;

#[derive(Template)]
#[template(path = "project_commits.html")]
pub(super) struct Commits<'a> {
    project: &'a ProjectName,
    listed: &'a BranchCommits,
    rows: Vec<(&'a BranchCommit, Option<Standing>)>,
    left_out: usize,
    tickets: &'a TicketLinks,
    proof: &'a str,
    may_build: bool,
}

impl<'a> Commits<'a> {
    /// What is listed of a branch.
    pub(super) fn of(
        project: &'a ProjectName,
        listed: &'a BranchCommits,
        tickets: &'a TicketLinks,
        (proof, may_build): (&'a str, bool),
    ) -> Self {
        let row = |row: &'a BranchCommit| {
            (
                row,
                row.release.as_ref().and_then(|release| became(release.state)),
            )
        };
        Self {
            project,
            listed,
            rows: listed.commits.iter().take(MOST).map(row).collect(),
            left_out: listed.commits.len().saturating_sub(MOST),
            tickets,
            proof,
            may_build,
        }
    }
}

/// What became of the newest release of a commit; none where it is built.
pub(super) fn became(state: ReleaseState) -> Option<Standing> {
    let told = |sign, word, tone| Some(Standing { sign, word, tone });
    match state {
        ReleaseState::Queued | ReleaseState::Building => told("▶", "is being built", "run"),
        ReleaseState::Built => None,
        ReleaseState::Failed => told("✕", "last build failed", "bad"),
        ReleaseState::Cancelled => told("–", "last build was cancelled", "unknown"),
        ReleaseState::Pruned => told("–", "was collected", "unknown"),
    }
}
