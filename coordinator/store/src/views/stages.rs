//! How long the stages of a deployment took, and of the earlier ones that it is compared with.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::DeploymentId;
use sqlx::PgConnection;

use crate::StoreResult;

/// Earlier deployments that one is compared with.
const RUNS: i64 = 20;

/// A deployment that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub number: i64,
    /// When it was wished, and when it might have begun at the soonest.
    pub wished_at: DateTime<Utc>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What jobs of one kind did in a deployment, those of switches wave by wave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Number of the deployment.
    pub number: i64,
    /// `build`, `install`, `migrate` or `switch`.
    pub name: String,
    /// The wave of a switch.
    pub wave: Option<i32>,
    /// When the first of them began.
    pub from: DateTime<Utc>,
    /// When the last of them ended; none while one goes on.
    pub to: Option<DateTime<Utc>>,
    /// How many hosts.
    pub hosts: i64,
    /// The longest health check among them.
    pub health_ms: Option<i64>,
    /// Number of the job whose log tells most: one that failed, else the one that ended last or goes on.
    pub job: Option<i64>,
}

/// This deployment, if it began, and the newest ones before it that went live in the same target, newest first.
pub async fn runs(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<Vec<Run>> {
    let rows = sqlx::query!(
        r#"(SELECT number, GREATEST(requested_at, held_until, scheduled_for) AS "wished_at!",
                   started_at AS "started_at!", ended_at
            FROM deployment WHERE id = $1 AND started_at IS NOT NULL)
           UNION ALL
           (SELECT earlier.number, GREATEST(earlier.requested_at, earlier.held_until, earlier.scheduled_for),
                   earlier.started_at, earlier.ended_at
            FROM deployment AS earlier JOIN deployment AS this ON this.target_id = earlier.target_id
            WHERE this.id = $1 AND earlier.number < this.number AND earlier.kind = this.kind
              AND earlier.outcome = 'live' AND earlier.started_at IS NOT NULL
            ORDER BY earlier.number DESC LIMIT $2)"#,
        id.0,
        RUNS,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Run {
                number: row.number?,
                wished_at: row.wished_at,
                started_at: row.started_at,
                ended_at: row.ended_at,
            })
        })
        .collect())
}

/// The stages of deployments, by their numbers.
pub async fn of(conn: &mut PgConnection, numbers: &[i64]) -> StoreResult<Vec<Stage>> {
    let rows = sqlx::query!(
        r#"SELECT deployment.number, part.name AS "name!", part.wave AS "wave?", part.since AS "since!",
                  part.till AS "till?", part.hosts AS "hosts!", part.health AS "health?", part.job AS "job?"
           FROM deployment,
                LATERAL (SELECT CASE WHEN job.kind IN ('activate', 'rollback') THEN 'switch' ELSE job.kind END AS name,
                                CASE WHEN job.kind IN ('activate', 'rollback') THEN member.wave END AS wave,
                                min(job.started_at) AS since,
                                CASE WHEN bool_and(job.ended_at IS NOT NULL) THEN max(job.ended_at) END AS till,
                                count(DISTINCT job.host_id) AS hosts,
                                (array_agg(job.number ORDER BY job.state = 'failed' DESC, job.ended_at DESC,
                                                               job.number DESC))[1] AS job,
                                max((SELECT max(step.duration_ms) FROM job_step AS step
                                     WHERE step.job_id = job.id AND step.name = 'health')) AS health
                         FROM job LEFT JOIN deployment_host AS member
                              ON member.deployment_id = job.deployment_id AND member.placement_id = job.placement_id
                         WHERE job.deployment_id = deployment.id AND job.started_at IS NOT NULL
                         GROUP BY 1, 2) AS part
           WHERE deployment.number = ANY($1) ORDER BY deployment.number, part.since"#,
        numbers,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Stage {
            number: row.number,
            name: row.name,
            wave: row.wave,
            from: row.since,
            to: row.till,
            hosts: row.hosts,
            health_ms: row.health,
            job: row.job,
        })
        .collect())
}
