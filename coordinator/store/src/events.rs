//! Machine facts, appended in the transaction of their cause and numbered after commit.
//!
//! A late commit is never skipped: whichever coordinator holds the numbering lock gives committed rows the next
//! numbers, and readers follow the numbers, not the ids.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::StoreResult;

/// Key of the advisory lock under which events are numbered.
const NUMBERING_LOCK: i64 = 0x706d_6576;

/// A fact to append.
#[derive(Debug, Clone, Default)]
pub struct NewEvent<'a> {
    /// What, such as `deployment.live`.
    pub kind: &'a str,
    /// Its project.
    pub project: Option<&'a str>,
    /// Its target, `project@environment`.
    pub target: Option<&'a str>,
    /// Number of its deployment.
    pub deployment: Option<i64>,
    /// Number of its job.
    pub job: Option<i64>,
    /// Its host.
    pub host: Option<&'a str>,
    /// For people.
    pub message: String,
}

/// Appends a fact.
pub async fn append(conn: &mut PgConnection, at: DateTime<Utc>, event: &NewEvent<'_>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO event (at, kind, project, target, deployment, job, host, message)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        at,
        event.kind,
        event.project,
        event.target,
        event.deployment,
        event.job,
        event.host,
        event.message,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives committed events their place in the order; returns how many. Does nothing while another coordinator numbers.
pub async fn number(conn: &mut PgConnection) -> StoreResult<u64> {
    let done = sqlx::query!(
        "WITH held AS MATERIALIZED (SELECT pg_try_advisory_xact_lock($1) AS held),
              fresh AS (SELECT id FROM event WHERE seq IS NULL AND (SELECT held FROM held) ORDER BY id LIMIT 1000)
         UPDATE event SET seq = numbered.seq
         FROM (SELECT id, (SELECT COALESCE(max(seq), 0) FROM event) + row_number() OVER (ORDER BY id) AS seq FROM fresh) numbered
         WHERE event.id = numbered.id",
        NUMBERING_LOCK,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
