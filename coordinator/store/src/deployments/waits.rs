//! When deployments waited for a person to decide. What waits still stands with its decision to pause; here is what is
//! over, so that it is never taken for work. What was begun before a pause goes on, and is work: the wait begins when the
//! last of it ended, and there is none while something of it goes on.

use std::collections::BTreeMap;

use pointsman_domain::forecast::waits::Wait;
use pointsman_shared::ids::DeploymentId;
use sqlx::PgConnection;

use crate::StoreResult;

/// Keeps the wait of one that waits, which ends now, or ended when somebody cancelled it.
pub(super) async fn keep(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO deployment_wait (deployment_id, since, till)
         SELECT id, since, GREATEST(since, LEAST((cancel->>'at')::timestamptz, now()))
         FROM (SELECT id, cancel,
                      GREATEST((paused->>'at')::timestamptz,
                               (SELECT max(job.ended_at) FROM job
                                WHERE job.deployment_id = deployment.id
                                  AND job.started_at <= (deployment.paused->>'at')::timestamptz)) AS since
               FROM deployment
               WHERE id = $1 AND paused IS NOT NULL AND ended_at IS NULL
                 AND NOT EXISTS (SELECT FROM job WHERE job.deployment_id = deployment.id
                                   AND job.started_at IS NOT NULL AND job.ended_at IS NULL)) AS waiting
         ON CONFLICT DO NOTHING",
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The waits of deployments, by their numbers, in their order; that of one that waits now as well.
pub async fn waits(conn: &mut PgConnection, numbers: &[i64]) -> StoreResult<BTreeMap<i64, Vec<Wait>>> {
    let rows = sqlx::query!(
        r#"SELECT deployment.number AS "number!", wait.since AS "since!", wait.till AS "till?"
           FROM deployment JOIN deployment_wait AS wait ON wait.deployment_id = deployment.id
           WHERE deployment.number = ANY ($1)
           UNION ALL
           SELECT number,
                  GREATEST((paused->>'at')::timestamptz,
                           (SELECT max(job.ended_at) FROM job
                            WHERE job.deployment_id = deployment.id
                              AND job.started_at <= (deployment.paused->>'at')::timestamptz)),
                  (cancel->>'at')::timestamptz
           FROM deployment
           WHERE number = ANY ($1) AND paused IS NOT NULL AND ended_at IS NULL
             AND NOT EXISTS (SELECT FROM job WHERE job.deployment_id = deployment.id
                               AND job.started_at IS NOT NULL AND job.ended_at IS NULL)
           ORDER BY 2"#,
        numbers,
    )
    .fetch_all(conn)
    .await?;
    let mut waits: BTreeMap<i64, Vec<Wait>> = BTreeMap::new();
    for row in rows {
        waits.entry(row.number).or_default().push(Wait {
            from: row.since,
            to: row.till,
        });
    }
    Ok(waits)
}
