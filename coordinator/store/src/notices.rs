//! What the collector of notifications reads: numbered events with what is needed to tell them, its cursor, and which
//! things are in trouble.

use chrono::{DateTime, Utc};
use pointsman_domain::deployment::PauseReason;
use pointsman_shared::api::events::Event;
use pointsman_shared::api::notifications::DeploymentNotice;
use pointsman_shared::outcome::JobKind;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// The cursor, locked until the transaction ends; none = another coordinator collects.
pub async fn lock_cursor(conn: &mut PgConnection) -> StoreResult<Option<i64>> {
    Ok(
        sqlx::query_scalar!("SELECT seq FROM notification_cursor FOR UPDATE SKIP LOCKED")
            .fetch_optional(conn)
            .await?,
    )
}

/// Moves the cursor on.
pub async fn move_cursor(conn: &mut PgConnection, seq: i64) -> StoreResult<()> {
    sqlx::query!("UPDATE notification_cursor SET seq = $1", seq)
        .execute(conn)
        .await?;
    Ok(())
}

/// An event with the kind of its job.
#[derive(Debug)]
pub struct EventRow {
    /// The event.
    pub event: Event,
    /// Kind of its job.
    pub job_kind: Option<JobKind>,
}

/// Numbered events after a cursor, in order.
pub async fn events_after(conn: &mut PgConnection, cursor: i64, limit: i64) -> StoreResult<Vec<EventRow>> {
    let rows = sqlx::query!(
        r#"SELECT seq AS "cursor!", event.at, event.kind, project, target, deployment, job, host, message,
                  job.kind AS "job_kind?"
           FROM event LEFT JOIN job ON job.number = event.job
           WHERE seq > $1 ORDER BY seq LIMIT $2"#,
        cursor,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            // A kind that only a newer version knows has no topic here.
            let job_kind = row.job_kind.and_then(|kind| kind.parse::<JobKind>().ok());
            Ok(EventRow {
                job_kind,
                event: Event {
                    cursor: row.cursor,
                    at: row.at,
                    kind: row.kind,
                    project: row.project,
                    target: row.target,
                    deployment: row.deployment,
                    job: row.job,
                    host: row.host,
                    message: row.message,
                },
            })
        })
        .collect()
}

/// A deployment as it is told, and why it waits for a person.
#[derive(Debug)]
pub struct Told {
    /// What is told.
    pub notice: DeploymentNotice,
    /// Why it waits.
    pub paused: Option<PauseReason>,
}

/// What there is to tell of a deployment.
pub async fn deployment(conn: &mut PgConnection, number: i64) -> StoreResult<Option<Told>> {
    let row = sqlx::query!(
        r#"SELECT deployment.kind, release.label, release.commit_id AS commit, before.label AS "from?", principal.name AS by,
                  deployment.reason, deployment.started_at, deployment.ended_at, paused->'why' AS why
           FROM deployment JOIN release ON release.id = release_id JOIN principal ON principal.id = deployment.requested_by
                LEFT JOIN release before ON before.id = from_release_id
           WHERE deployment.number = $1"#,
        number,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let paused = row.why.map(serde_json::from_value::<PauseReason>).transpose();
        Ok(Told {
            paused: paused.map_err(|error| StoreError::inconsistent("deployment", number, error))?,
            notice: DeploymentNotice {
                number,
                kind: row.kind,
                release: row.label,
                commit: row.commit,
                from: row.from,
                by: row.by,
                reason: row.reason,
                started_at: row.started_at,
                ended_at: row.ended_at,
            },
        })
    })
    .transpose()
}

/// Remembers that a subject is in trouble.
pub async fn begin_trouble(conn: &mut PgConnection, subject: &str, at: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO trouble (subject, since) VALUES ($1, $2) ON CONFLICT (subject) DO NOTHING",
        subject,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets it; false = it was in none.
pub async fn end_trouble(conn: &mut PgConnection, subject: &str) -> StoreResult<bool> {
    let done = sqlx::query!("DELETE FROM trouble WHERE subject = $1", subject)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// How many notifications nobody sends: deliveries that were due a minute ago and are under no claim, and numbered events
/// as old that were not read.
pub async fn late(conn: &mut PgConnection) -> StoreResult<i64> {
    let late = sqlx::query_scalar!(
        r#"SELECT (SELECT count(*) FROM delivery JOIN channel ON channel.id = channel_id
                   WHERE state = 'waiting' AND disabled_at IS NULL AND next_at < now() - interval '1 minute'
                     AND (claimed_until IS NULL OR claimed_until < now()))
                + (SELECT count(*) FROM event WHERE seq > (SELECT seq FROM notification_cursor)
                   AND at < now() - interval '1 minute') AS "late!""#
    )
    .fetch_one(conn)
    .await?;
    Ok(late)
}
