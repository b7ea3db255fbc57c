//! The commits of a plan, as the mirror knows them: those that come and go, and newer ones that are left out.

use pointsman_shared::api::plans::{NewerCommits, PlannedCommits, PlannedRelease};
use pointsman_shared::repository::CommitId;
use pointsman_store::projects::ProjectRow;
use pointsman_store::releases::ReleaseRow;

use crate::app::App;
use crate::error::OperationError;
use crate::mirrors;

/// Commits listed each way.
const MOST_COMMITS: usize = 100;
/// Newer commits listed.
const MOST_NEWER: usize = 20;

/// The commits that come and go; a repository that cannot be read is a note, not an error.
pub(super) async fn change(
    app: &App,
    project: &ProjectRow,
    from: Option<&PlannedRelease>,
    to: &ReleaseRow,
) -> PlannedCommits {
    let Some(from) = from else {
        return PlannedCommits {
            unknown: Some("nothing is live yet".to_owned()),
            ..PlannedCommits::default()
        };
    };
    match mirrors::changes(app, project, &from.commit, &to.commit, MOST_COMMITS).await {
        Ok(commits) => commits,
        Err(OperationError::Refused(refusal)) => PlannedCommits {
            unknown: Some(refusal.what),
            ..PlannedCommits::default()
        },
        Err(error) => {
            tracing::warn!(project = %project.name, error = &error as &dyn std::error::Error, "commits could not be listed");
            PlannedCommits {
                unknown: Some("the repository could not be read".to_owned()),
                ..PlannedCommits::default()
            }
        }
    }
}

/// What the branch of a release has by now and the release has not, as the mirror knows it: a hint, which may be missing.
pub(super) async fn newer(
    app: &App,
    project: &ProjectRow,
    reference: Option<String>,
    commit: &CommitId,
) -> Option<NewerCommits> {
    let usual = ["main", "master"].map(str::to_owned);
    let branches = reference.into_iter().chain(usual).collect();
    // One more than is shown, to see whether there are more.
    let found = mirrors::newer(app, project, branches, commit, MOST_NEWER + 1).await;
    let (branch, mut commits) = found
        .inspect_err(|error| tracing::debug!(project = %project.name, %error, "newer commits are not known"))
        .ok()
        .flatten()
        .filter(|(_, commits)| !commits.is_empty())?;
    let more = commits.len() > MOST_NEWER;
    commits.truncate(MOST_NEWER);
    Some(NewerCommits {
        branch,
        commits,
        more,
    })
}
