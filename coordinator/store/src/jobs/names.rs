//! What people call the things a job belongs to, for events and messages.

use pointsman_shared::ids::JobId;
use sqlx::PgConnection;

use crate::StoreResult;

/// Names around a job.
#[derive(Debug, Clone)]
pub struct Names {
    /// Its project.
    pub project: String,
    /// Its target, `project@environment`.
    pub target: Option<String>,
    /// Number of its deployment.
    pub deployment: Option<i64>,
    /// Label of its release.
    pub release: Option<String>,
}

/// The names around a job.
pub async fn names(conn: &mut PgConnection, job: JobId) -> StoreResult<Names> {
    let names = sqlx::query_as!(
        Names,
        r#"SELECT project.name AS project, project.name || '@' || environment.name AS "target?",
                  deployment.number AS "deployment?", release.label AS "release?"
           FROM job
           JOIN project ON project.id = job.project_id
           LEFT JOIN target ON target.id = job.target_id
           LEFT JOIN environment ON environment.id = target.environment_id
           LEFT JOIN deployment ON deployment.id = job.deployment_id
           LEFT JOIN release ON release.id = job.release_id
           WHERE job.id = $1"#,
        job.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(names)
}
