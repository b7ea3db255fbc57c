//! Deployments, newest first. What they are is told by the same facts that decide their next step.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use pointsman_domain::deployment::{Facts, progress};
use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::ids::DeploymentId;
use pointsman_shared::name::TargetName;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult, deployments};

/// Which deployments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Only of this target.
    pub target: Option<&'a TargetName>,
    /// Only those that are over (true) or open (false).
    pub over: Option<bool>,
    /// Only with a lower number.
    pub before: Option<i64>,
}

/// A page of deployments.
pub async fn page(conn: &mut PgConnection, wanted: Wanted<'_>, limit: i64) -> StoreResult<Vec<Deployment>> {
    select(conn, wanted, None, limit).await
}

/// The deployment with this number.
pub async fn one(conn: &mut PgConnection, number: i64) -> StoreResult<Option<Deployment>> {
    Ok(select(conn, Wanted::default(), Some(number), 1).await?.pop())
}

struct Columns {
    id: uuid::Uuid,
    number: i64,
    project: String,
    environment: String,
    release: String,
    from: Option<String>,
    kind: String,
    requested_by: String,
    requested_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

async fn select(
    conn: &mut PgConnection,
    wanted: Wanted<'_>,
    only: Option<i64>,
    limit: i64,
) -> StoreResult<Vec<Deployment>> {
    let rows = sqlx::query_as!(
        Columns,
        r#"SELECT deployment.id, deployment.number, project.name AS project, environment.name AS environment,
                  release.label AS release, origin.label AS "from?", deployment.kind,
                  principal.name AS requested_by, requested_at, started_at, ended_at
           FROM deployment JOIN target ON target.id = deployment.target_id
                JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
                JOIN release ON release.id = deployment.release_id
                LEFT JOIN release origin ON origin.id = deployment.from_release_id
                JOIN principal ON principal.id = deployment.requested_by
           WHERE ($1::text IS NULL OR (project.name = $1 AND environment.name = $2))
             AND ($3::boolean IS NULL OR (ended_at IS NOT NULL) = $3)
             AND ($4::bigint IS NULL OR deployment.number < $4)
             AND ($5::bigint IS NULL OR deployment.number = $5)
           ORDER BY deployment.number DESC LIMIT $6"#,
        wanted.target.map(|target| target.project.to_string()),
        wanted.target.map(|target| target.environment.to_string()),
        wanted.over,
        wanted.before,
        only,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<_> = rows.iter().map(|row| DeploymentId(row.id)).collect();
    let facts = deployments::facts_of(conn, &ids).await?;
    let mut facts: HashMap<_, _> = facts.into_iter().map(|facts| (facts.id.0, facts)).collect();
    rows.into_iter()
        .map(|row| {
            let facts = facts
                .remove(&row.id)
                .ok_or_else(|| StoreError::inconsistent("deployment", row.id, "it has no facts"))?;
            deployment(row, &facts)
        })
        .collect()
}

fn deployment(row: Columns, facts: &Facts) -> StoreResult<Deployment> {
    let wrong = |what: &dyn ToString| StoreError::inconsistent("deployment", row.id, what.to_string());
    let progress = progress(facts);
    Ok(Deployment {
        id: DeploymentId(row.id),
        number: row.number,
        target: TargetName {
            project: row.project.parse().map_err(|e| wrong(&e))?,
            environment: row.environment.parse().map_err(|e| wrong(&e))?,
        },
        release: row.release.parse().map_err(|e| wrong(&e))?,
        from: row
            .from
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|e| wrong(&e))?,
        kind: row.kind,
        state: progress.state,
        summary: progress.summary,
        reason: progress.reason,
        requested_by: row.requested_by,
        requested_at: row.requested_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        hosts: progress.hosts,
    })
}
