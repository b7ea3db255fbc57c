//! The global stop, as grants ask for it.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::JobId;
use sqlx::PgConnection;

use crate::StoreResult;

/// Whether the global stop is on.
pub async fn is_stopped(conn: &mut PgConnection, now: DateTime<Utc>) -> StoreResult<bool> {
    let stopped = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM lock WHERE target_id IS NULL AND released_at IS NULL
                                               AND (expires_at IS NULL OR expires_at > $1)) AS "stopped!""#,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(stopped)
}

/// Whether a job belongs to a deployment that is a rollback.
pub async fn is_of_rollback(conn: &mut PgConnection, job: JobId) -> StoreResult<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM job JOIN deployment ON deployment.id = job.deployment_id
                          WHERE job.id = $1 AND (deployment.kind = 'rollback' OR deployment.rollback IS NOT NULL))
           AS "found!""#,
        job.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}
