//! What a deployment leads from and to: its commits, whether the target can go back, and how quick that usually is.

use pointsman_domain::deployment::RollbackDecision;
use pointsman_shared::ids::{DeploymentId, ProjectId};
use pointsman_shared::name::TargetName;
use pointsman_shared::repository::CommitId;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// Earlier rollbacks that their usual time is read from.
const RUNS: i64 = 20;

/// What a deployment leads from and to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The project.
    pub project: ProjectId,
    /// The commit that was live before; none where nothing good was.
    pub from: Option<CommitId>,
    /// The commit that it brings.
    pub to: CommitId,
    /// Why it was wished.
    pub reason: Option<String>,
    /// That it was rolled back.
    pub rollback: Option<RollbackDecision>,
}

/// The change that a deployment makes.
pub async fn change(conn: &mut PgConnection, deployment: DeploymentId) -> StoreResult<Change> {
    let row = sqlx::query!(
        r#"SELECT release.project_id, before.commit_id AS "before?", release.commit_id, deployment.reason, deployment.rollback
           FROM deployment JOIN release ON release.id = deployment.release_id
                LEFT JOIN release AS before ON before.id = deployment.from_release_id
           WHERE deployment.id = $1"#,
        deployment.0,
    )
    .fetch_one(conn)
    .await?;
    let wrong = |what: &dyn ToString| StoreError::inconsistent("deployment", deployment, what.to_string());
    Ok(Change {
        project: ProjectId(row.project_id),
        from: row
            .before
            .map(|from| from.parse().map_err(|e| wrong(&e)))
            .transpose()?,
        to: row.commit_id.parse().map_err(|e| wrong(&e))?,
        reason: row.reason,
        rollback: row
            .rollback
            .map(serde_json::from_value)
            .transpose()
            .map_err(|e| wrong(&e))?,
    })
}

/// On how many hosts the release lies that was live before a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Hosts that have it.
    pub hosts: i64,
    /// Hosts of the target.
    pub of: i64,
}

/// Where the way back of a deployment stands now; none where nothing good was live before it, or a newer deployment of
/// the target is what counts.
pub async fn of(conn: &mut PgConnection, deployment: DeploymentId) -> StoreResult<Option<Ready>> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "all!",
                  count(*) FILTER (WHERE EXISTS (SELECT 1 FROM placement_release AS has
                                                 WHERE has.placement_id = placement.id
                                                   AND has.release_id = deployment.from_release_id)) AS "ready!"
           FROM deployment JOIN placement ON placement.target_id = deployment.target_id AND placement.retired_at IS NULL
           WHERE deployment.id = $1 AND deployment.from_release_id IS NOT NULL AND deployment.kind = 'deploy'
             AND NOT EXISTS (SELECT 1 FROM deployment AS later
                             WHERE later.target_id = deployment.target_id AND later.number > deployment.number
                               AND later.started_at IS NOT NULL)"#,
        deployment.0,
    )
    .fetch_one(conn)
    .await?;
    Ok((row.all > 0).then_some(Ready {
        hosts: row.ready,
        of: row.all,
    }))
}

/// How long the newest rollbacks of a target took, from their start, in milliseconds, without what they waited for a
/// person.
pub async fn times(conn: &mut PgConnection, target: &TargetName) -> StoreResult<Vec<u64>> {
    let times = sqlx::query_scalar!(
        r#"SELECT (EXTRACT(EPOCH FROM deployment.ended_at - deployment.started_at
                        - COALESCE((SELECT sum(wait.till - wait.since) FROM deployment_wait AS wait
                                    WHERE wait.deployment_id = deployment.id), interval '0')) * 1000)::bigint AS "took!"
           FROM deployment JOIN target ON target.id = deployment.target_id
                JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
           WHERE project.name = $1 AND environment.name = $2 AND deployment.kind = 'rollback'
             AND deployment.outcome = 'live' AND deployment.started_at IS NOT NULL
           ORDER BY deployment.number DESC LIMIT $3"#,
        target.project.as_str(),
        target.environment.as_str(),
        RUNS,
    )
    .fetch_all(conn)
    .await?;
    Ok(times
        .into_iter()
        .filter_map(|took| u64::try_from(took).ok())
        .collect())
}
