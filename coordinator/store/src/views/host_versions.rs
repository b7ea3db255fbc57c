//! Which releases ran on a host and since when, by what its switches did.

use chrono::{DateTime, Utc};
use pointsman_shared::name::{HostId, ReleaseLabel, TargetName};
use serde::Serialize;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A release that ran on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Of which target.
    pub target: TargetName,
    /// The release.
    pub release: ReleaseLabel,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when; none = it is the newest.
    pub until: Option<DateTime<Utc>>,
    /// Whether it came back by a rollback.
    pub is_rollback: bool,
    /// The deployment that brought it; none where the host was brought up by itself.
    pub deployment: Option<i64>,
    /// Who wished that.
    pub by: Option<String>,
}

/// The newest `most` releases of each target that ran on a host after `since`, by target, newest first.
pub async fn of(
    conn: &mut PgConnection,
    host: &HostId,
    since: DateTime<Utc>,
    most: i64,
) -> StoreResult<Vec<Version>> {
    let rows = sqlx::query!(
        r#"SELECT project.name || '@' || environment.name AS "target!", release.label, switch.kind = 'rollback' AS "is_rollback!",
                  switch.ended_at AS "from!", deployment.number AS "deployment?", principal.name AS "by?"
           FROM placement JOIN target ON target.id = placement.target_id
                JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
                CROSS JOIN LATERAL (SELECT job.kind, job.ended_at, job.release_id, job.deployment_id, job.generation FROM job
                                    WHERE job.placement_id = placement.id AND job.generation IS NOT NULL
                                      AND job.state = 'succeeded'
                                      AND (job.ended_at > $3
                                           OR job.generation = (SELECT max(older.generation) FROM job AS older
                                                                WHERE older.placement_id = placement.id
                                                                  AND older.generation IS NOT NULL
                                                                  AND older.state = 'succeeded'
                                                                  AND older.ended_at <= $3))
                                    ORDER BY job.generation DESC LIMIT $2) AS switch
                JOIN release ON release.id = switch.release_id
                LEFT JOIN deployment ON deployment.id = switch.deployment_id
                LEFT JOIN principal ON principal.id = deployment.requested_by
           WHERE placement.host_id = $1 AND placement.retired_at IS NULL
           ORDER BY 1, switch.generation DESC"#,
        host.as_str(),
        most,
        since,
    )
    .fetch_all(conn)
    .await?;
    let mut versions: Vec<Version> = Vec::with_capacity(rows.len());
    for row in rows {
        let wrong =
            |what: &dyn ToString| StoreError::inconsistent("placement", &row.target, what.to_string());
        let target: TargetName = row.target.parse().map_err(|e| wrong(&e))?;
        // The one before it in this order is the one after it in time.
        let until = versions
            .last()
            .filter(|newer| newer.target == target)
            .map(|newer| newer.from);
        versions.push(Version {
            release: row.label.parse().map_err(|e| wrong(&e))?,
            target,
            from: row.from,
            until,
            is_rollback: row.is_rollback,
            deployment: row.deployment,
            by: row.by,
        });
    }
    Ok(versions)
}
