//! What lies between commits, for people: what comes and goes, and what a commit has of a range.

use chrono::DateTime;
use pointsman_git::{Carried, Changes};
use pointsman_shared::api::plans::{CommitLine, PlannedCommits};
use pointsman_shared::api::pushes::CommitRange;
use pointsman_shared::repository::CommitId;
use pointsman_store::projects::ProjectRow;

use super::on_mirror;
use crate::app::App;
use crate::error::OperationResult;

/// The commits that come and go when `to` takes the place of `from`, at most `most` each way.
pub async fn changes(
    app: &App,
    project: &ProjectRow,
    from: &CommitId,
    to: &CommitId,
    most: usize,
) -> OperationResult<PlannedCommits> {
    let (from, to) = (from.clone(), to.clone());
    let changes = on_mirror(app, project, move |mirror| {
        mirror.ensure_commit(&from)?;
        mirror.ensure_commit(&to)?;
        // One more than is shown, to see whether there are more.
        mirror.changes(&from, &to, most.saturating_add(1))
    })
    .await?;
    Ok(planned(changes, most))
}

/// The first of them each way, and whether there are more.
pub(super) fn planned(changes: Changes, most: usize) -> PlannedCommits {
    let more = changes.come.len() > most || changes.go.len() > most;
    let lines =
        |commits: Vec<pointsman_git::Commit>| commits.into_iter().take(most).map(commit_line).collect();
    PlannedCommits {
        coming: lines(changes.come),
        going: lines(changes.go),
        more,
        unknown: None,
    }
}

/// How much a commit has of a range.
pub async fn carries(
    app: &App,
    project: &ProjectRow,
    commit: &CommitId,
    range: &CommitRange,
) -> OperationResult<Carried> {
    let (commit, range) = (commit.clone(), range.clone());
    on_mirror(app, project, move |mirror| {
        for needed in [&commit, &range.good, &range.bad] {
            mirror.ensure_commit(needed)?;
        }
        mirror.carries(&commit, &range.good, &range.bad)
    })
    .await
}

pub(super) fn commit_line(commit: pointsman_git::Commit) -> CommitLine {
    CommitLine {
        id: commit.id.to_string(),
        author: commit.author,
        at: DateTime::from_timestamp(commit.authored_at, 0).unwrap_or_default(),
        subject: commit.subject,
        email: commit.email,
        reverts: commit.reverts,
    }
}
