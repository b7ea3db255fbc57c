//! What was live at a moment that is over, as deployments ended until then.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::StoreResult;

/// A target then.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Then {
    /// Its project.
    pub project: String,
    /// Its environment.
    pub environment: String,
    /// The deployment that made it so; none = nothing was live yet.
    pub number: Option<i64>,
    /// The release that was live.
    pub live: Option<String>,
    /// Who wished it.
    pub by: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

/// Every target of these projects, as it was at `at`.
pub async fn live_at(
    conn: &mut PgConnection,
    projects: &[String],
    at: DateTime<Utc>,
) -> StoreResult<Vec<Then>> {
    let then = sqlx::query_as!(
        Then,
        r#"SELECT project.name AS project, environment.name AS environment, past.number AS "number?",
                  CASE WHEN past.outcome = 'live' THEN release.label ELSE past.rollback->'to'->>'label' END AS live,
                  principal.name AS "by?", past.ended_at AS "since?"
           FROM target JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
                LEFT JOIN LATERAL (SELECT number, release_id, outcome, rollback, requested_by, ended_at FROM deployment
                                   WHERE deployment.target_id = target.id AND ended_at <= $2
                                     AND outcome IN ('live', 'rolled_back')
                                   ORDER BY number DESC LIMIT 1) AS past ON true
                LEFT JOIN release ON release.id = past.release_id
                LEFT JOIN principal ON principal.id = past.requested_by
           WHERE project.name = ANY ($1)"#,
        projects,
        at,
    );
    Ok(then.fetch_all(conn).await?)
}
