//! What is open: who may take each job, how long such jobs took, which lease runs, and what never reached anybody.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use pointsman_domain::forecast::{queue, usual};
use pointsman_shared::api::jobs::DeadLetter;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::StoreResult;

/// Open jobs that are read.
const MOST: i64 = 1000;
/// Earlier runs that tell what is usual.
const RUNS: i64 = 20;

/// An open job.
#[derive(Debug, Clone)]
pub struct OpenJob {
    /// Its number.
    pub number: i64,
    /// A host or a pool.
    pub audience: String,
    /// Attempts at most.
    pub most_epochs: i32,
    /// Until when its agent owns it.
    pub lease_until: Option<DateTime<Utc>>,
    /// Offers of it that came back unread.
    pub dead_offers: i32,
    /// Its place among those that wait.
    pub place: Option<queue::Place>,
}

/// Every open job, by number.
pub async fn open(conn: &mut PgConnection, now: DateTime<Utc>) -> StoreResult<HashMap<i64, OpenJob>> {
    let durations = durations(conn).await?;
    let rows = sqlx::query!(
        r#"SELECT number, kind, project_id, state, COALESCE(host_id, pool) AS "audience!", max_epochs, lease_until,
                  dead_offers, started_at, CASE WHEN pool IS NULL THEN 1 ELSE (
                      SELECT count(DISTINCT past.worker_id) FROM job AS past
                      WHERE past.pool = job.pool AND past.started_at > $1::timestamptz - interval '1 day') END AS "workers!"
           FROM job WHERE state IN ('queued', 'offered', 'running', 'deferred', 'indeterminate') ORDER BY number LIMIT $2"#,
        now,
        MOST,
    )
    .fetch_all(conn)
    .await?;
    let waits = |state: &str| matches!(state, "queued" | "offered" | "running");
    let facts: Vec<queue::Open> = rows
        .iter()
        .filter(|row| waits(&row.state))
        .map(|row| {
            let began = row.started_at.filter(|_| row.state == "running");
            let runs = durations.get(&(row.kind.clone(), row.project_id));
            queue::Open {
                number: row.number,
                audience: row.audience.clone(),
                workers: usize::try_from(row.workers).unwrap_or_default(),
                working_ms: began.map(|at| u64::try_from((now - at).num_milliseconds()).unwrap_or_default()),
                usual_ms: runs.and_then(|runs| usual(runs)).map(|usual| usual.median_ms),
            }
        })
        .collect();
    let places = queue::places(&facts);
    let open = rows.into_iter().map(|row| OpenJob {
        number: row.number,
        audience: row.audience,
        most_epochs: row.max_epochs,
        lease_until: row.lease_until,
        dead_offers: row.dead_offers,
        place: places.get(&row.number).copied(),
    });
    Ok(open.map(|job| (job.number, job)).collect())
}

/// How long jobs took that were like those that are open.
async fn durations(conn: &mut PgConnection) -> StoreResult<HashMap<(String, Uuid), Vec<u64>>> {
    let rows = sqlx::query!(
        r#"SELECT open.kind AS "kind!", open.project_id AS "project_id!", past.ms AS "ms!"
           FROM (SELECT DISTINCT kind, project_id FROM job
                 WHERE state IN ('queued', 'offered', 'running', 'deferred', 'indeterminate')) AS open,
                LATERAL (SELECT (extract(epoch FROM ended_at - started_at) * 1000)::bigint AS ms FROM job
                         WHERE kind = open.kind AND project_id = open.project_id AND state = 'succeeded'
                           AND started_at IS NOT NULL
                         ORDER BY number DESC LIMIT $1) AS past"#,
        RUNS,
    )
    .fetch_all(conn)
    .await?;
    let mut durations: HashMap<_, Vec<u64>> = HashMap::new();
    for row in rows {
        let ms = u64::try_from(row.ms).unwrap_or_default();
        durations.entry((row.kind, row.project_id)).or_default().push(ms);
    }
    Ok(durations)
}

/// Refused messages, newest first, before a number. What they held is as it came: it may be a secret.
pub async fn dead_letters(
    conn: &mut PgConnection,
    before: Option<i64>,
    limit: i64,
) -> StoreResult<Vec<DeadLetter>> {
    let letters = sqlx::query_as!(
        DeadLetter,
        "SELECT id AS number, at, queue, reason, claimed_host AS host, bytes, sample FROM refused_message
         WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(letters)
}
