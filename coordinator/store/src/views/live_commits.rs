//! The commit that is live in each target: what environments are compared by.

use pointsman_shared::ids::ProjectId;
use pointsman_shared::name::TargetName;
use pointsman_shared::repository::CommitId;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// What is live in a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveCommit {
    /// The target's project.
    pub project: ProjectId,
    /// The target.
    pub target: TargetName,
    /// The commit of the release that is wanted there.
    pub commit: CommitId,
}

/// Of every target of these projects that has something live.
pub async fn of_projects(conn: &mut PgConnection, projects: &[String]) -> StoreResult<Vec<LiveCommit>> {
    let rows = sqlx::query!(
        "SELECT project.id, project.name AS project, environment.name AS environment, release.commit_id
         FROM target JOIN project ON project.id = target.project_id
                     JOIN environment ON environment.id = target.environment_id
                     JOIN release ON release.id = target.desired_release_id
         WHERE project.name = ANY ($1)
         ORDER BY project.name, environment.position, environment.name",
        projects,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |what: &dyn ToString| StoreError::inconsistent("target", row.id, what.to_string());
            Ok(LiveCommit {
                project: ProjectId(row.id),
                target: TargetName {
                    project: row.project.parse().map_err(|e| wrong(&e))?,
                    environment: row.environment.parse().map_err(|e| wrong(&e))?,
                },
                commit: row.commit_id.parse().map_err(|e| wrong(&e))?,
            })
        })
        .collect()
}
