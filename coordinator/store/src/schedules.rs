//! What happens by the clock: one row per kind and project. A run is claimed by moving its time on, so that several
//! coordinators run it once, and runs that were missed are one.

use chrono::{DateTime, Utc};
use pointsman_shared::name::ProjectName;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// When something happens to a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Its id.
    pub id: uuid::Uuid,
    /// The project.
    pub project: ProjectName,
    /// When, as a cron expression.
    pub expression: String,
    /// The next time.
    pub next_run_at: DateTime<Utc>,
    /// The last time.
    pub last_run_at: Option<DateTime<Utc>>,
    /// Whether it happens at all.
    pub enabled: bool,
}

const KIND: &str = "collect_garbage";

/// Projects that have no schedule of collections yet.
pub async fn missing(conn: &mut PgConnection) -> StoreResult<Vec<ProjectName>> {
    let names = sqlx::query_scalar!(
        "SELECT name FROM project WHERE archived_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM schedule WHERE kind = $1 AND scope = project.name) ORDER BY name",
        KIND
    )
    .fetch_all(conn)
    .await?;
    names
        .into_iter()
        .map(|name| {
            name.parse()
                .map_err(|error| StoreError::inconsistent("project", &name, error))
        })
        .collect()
}

/// Sets when a project's garbage is collected; an expression of none leaves the old one and switches it off.
pub async fn set(
    conn: &mut PgConnection,
    id: uuid::Uuid,
    project: &ProjectName,
    expression: Option<&str>,
    next_run_at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO schedule (id, kind, scope, expression, next_run_at, enabled)
         VALUES ($1, $2, $3, COALESCE($4, '0 3 * * *'), $5, $4 IS NOT NULL)
         ON CONFLICT (kind, scope) DO UPDATE
         SET expression = COALESCE($4, schedule.expression), next_run_at = $5, enabled = $4 IS NOT NULL",
        id,
        KIND,
        project.as_str(),
        expression,
        next_run_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Every schedule of collections, by project.
pub async fn all(conn: &mut PgConnection) -> StoreResult<Vec<ScheduleRow>> {
    let rows = sqlx::query!(
        "SELECT id, scope, expression, next_run_at, last_run_at, enabled FROM schedule WHERE kind = $1 ORDER BY scope",
        KIND
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ScheduleRow {
                id: row.id,
                project: row
                    .scope
                    .parse()
                    .map_err(|error| StoreError::inconsistent("schedule", row.id, error))?,
                expression: row.expression,
                next_run_at: row.next_run_at,
                last_run_at: row.last_run_at,
                enabled: row.enabled,
            })
        })
        .collect()
}

/// Claims a run that is due by moving its time on; false = somebody else did.
pub async fn claim(
    conn: &mut PgConnection,
    row: &ScheduleRow,
    next_run_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    let done = sqlx::query!(
        "UPDATE schedule SET next_run_at = $3, last_run_at = $4
         WHERE id = $1 AND next_run_at = $2 AND enabled AND next_run_at <= $4",
        row.id,
        row.next_run_at,
        next_run_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
