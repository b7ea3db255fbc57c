//! Machine facts, appended in the transaction of their cause and numbered after commit.
//!
//! A late commit is never skipped: whichever coordinator holds the numbering lock gives committed rows the next
//! numbers, and readers follow the numbers, not the ids.

use chrono::{DateTime, Utc};
use pointsman_shared::api::events::Event;
use sqlx::PgConnection;

use crate::{StoreResult, Transaction};

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
///
/// Two statements on purpose: the second one's snapshot is taken after the lock is held, so that it sees every number
/// the previous holder gave.
pub async fn number(tx: &mut Transaction) -> StoreResult<u64> {
    let held = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock($1) AS "held!""#,
        NUMBERING_LOCK
    )
    .fetch_one(&mut **tx)
    .await?;
    if !held {
        return Ok(0);
    }
    let done = sqlx::query!(
        "UPDATE event SET seq = fresh.seq
         FROM (SELECT id, nextval('event_cursor') AS seq
               FROM (SELECT id FROM event WHERE seq IS NULL ORDER BY id LIMIT 1000) unnumbered) fresh
         WHERE event.id = fresh.id",
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() > 0 {
        // Whoever was called by the commits and found no numbers yet is called again.
        sqlx::query!("SELECT pg_notify('pointsman_event', '')")
            .fetch_one(&mut **tx)
            .await?;
    }
    Ok(done.rows_affected())
}

/// The cursor of the newest numbered event; 0 before the first.
pub async fn newest_cursor(conn: &mut PgConnection) -> StoreResult<i64> {
    let newest = sqlx::query_scalar!(r#"SELECT COALESCE(max(seq), 0) AS "newest!" FROM event"#)
        .fetch_one(conn)
        .await?;
    Ok(newest)
}

/// Numbered events after a cursor, in order.
pub async fn after(conn: &mut PgConnection, cursor: i64, limit: i64) -> StoreResult<Vec<Event>> {
    let rows = sqlx::query_as!(
        Event,
        r#"SELECT seq AS "cursor!", at, kind, project, target, deployment, job, host, message
           FROM event WHERE seq > $1 ORDER BY seq LIMIT $2"#,
        cursor,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
