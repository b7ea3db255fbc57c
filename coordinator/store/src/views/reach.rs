//! Which project something belongs to; so is judged whether somebody may see it.

use pointsman_shared::digest::Digest;
use pointsman_shared::name::ProjectName;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// The project of the deployment with this number.
pub async fn of_deployment(conn: &mut PgConnection, number: i64) -> StoreResult<Option<ProjectName>> {
    let name = sqlx::query_scalar!(
        "SELECT project.name FROM deployment JOIN target ON target.id = deployment.target_id
         JOIN project ON project.id = target.project_id WHERE deployment.number = $1",
        number,
    )
    .fetch_optional(conn)
    .await?;
    parsed(name)
}

/// The project of the job with this number.
pub async fn of_job(conn: &mut PgConnection, number: i64) -> StoreResult<Option<ProjectName>> {
    let name = sqlx::query_scalar!(
        "SELECT project.name FROM job JOIN project ON project.id = job.project_id WHERE job.number = $1",
        number,
    )
    .fetch_optional(conn)
    .await?;
    parsed(name)
}

/// The project of the push with this number.
pub async fn of_push(conn: &mut PgConnection, number: i64) -> StoreResult<Option<ProjectName>> {
    let name = sqlx::query_scalar!(
        "SELECT project.name FROM push JOIN webhook ON webhook.id = push.webhook_id
         JOIN project ON project.id = webhook.project_id WHERE push.number = $1",
        number,
    )
    .fetch_optional(conn)
    .await?;
    parsed(name)
}

/// The project of the plan with this hash.
pub async fn of_plan(conn: &mut PgConnection, hash: &Digest) -> StoreResult<Option<ProjectName>> {
    let name = sqlx::query_scalar!(
        "SELECT project.name FROM plan JOIN target ON target.id = plan.target_id
         JOIN project ON project.id = target.project_id WHERE plan.hash = $1",
        hash.as_bytes(),
    )
    .fetch_optional(conn)
    .await?;
    parsed(name)
}

fn parsed(name: Option<String>) -> StoreResult<Option<ProjectName>> {
    let Some(name) = name else { return Ok(None) };
    let parsed = name.parse();
    parsed
        .map(Some)
        .map_err(|error| StoreError::inconsistent("project", &name, error))
}
