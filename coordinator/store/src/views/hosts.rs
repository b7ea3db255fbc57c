//! Hosts with what is wrong with them, by id.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use pointsman_domain::presence::{Absence, Pause, Presence, Rhythm, milliseconds};
use pointsman_shared::api::fleet::{Host, HostPause};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::from_agent::DISK_FACT;
use sqlx::PgConnection;

use super::presence::presence_of;
use crate::{StoreError, StoreResult};

/// A clock that is off by more is named.
const CLOCK_TOLERANCE_MS: i64 = 5_000;
/// A disk with less than this free is named.
const LOW_DISK_BYTES: i64 = 1 << 30;

/// Suspects that are judged at most.
const SUSPECTS: i64 = 2_000;

/// What is wrong with a host; its words are for people.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// It is not there.
    #[error("{0}")]
    Absent(Absence),
    /// Its agent said that it ends.
    #[error("its agent was stopped at {}", .0.format("%F %T UTC"))]
    Stopped(DateTime<Utc>),
    /// It is seen, and was last heard longer ago than two of its beats.
    #[error("late: its agent was last heard at {}", .0.format("%F %T UTC"))]
    Late(DateTime<Utc>),
    /// What it needs at the broker was not made yet.
    #[error("its broker user, rights or queues do not stand yet")]
    BrokerNotReady,
    /// Its clock is off by so many milliseconds.
    #[error("its clock is {:.1} s {}", seconds(*.0), if *.0 > 0 { "ahead" } else { "behind" })]
    Clock(i64),
    /// Its fullest disk has only so many bytes left.
    #[error("its disk is nearly full: {} MB free", .0 / 1_000_000)]
    Disk(i64),
    /// So many processes of earlier jobs refuse to end.
    #[error("{0} processes of earlier jobs would not end")]
    Survivors(usize),
    /// A root cannot be read or written, or is another's: which, and why.
    #[error("{0}")]
    Root(String),
    /// Something else than what was decided is live in a root: which, and what.
    #[error("{0}")]
    Drift(String),
}

/// A host and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// The host; its problems are these, in words.
    pub host: Host,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Hosts after the one named.
pub async fn page(
    conn: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Host>> {
    let examined = select(conn, None, after, limit, rhythm).await?;
    Ok(examined.into_iter().map(|examined| examined.host).collect())
}

/// The host with this id.
pub async fn one(conn: &mut PgConnection, id: &str, rhythm: &Rhythm) -> StoreResult<Option<Host>> {
    let examined = select(conn, Some(&[id.to_owned()]), None, 1, rhythm).await?.pop();
    Ok(examined.map(|examined| examined.host))
}

/// Hosts that something may be wrong with. A coarse choice, so that a large fleet that is well costs little: what is
/// wrong is judged as for every other host, and it may be nothing.
pub async fn suspects(conn: &mut PgConnection, limit: usize, rhythm: &Rhythm) -> StoreResult<Vec<Examined>> {
    // Two beats of its own: what `Presence::late` waits for.
    let late = |beat_ms: u64| milliseconds(beat_ms.saturating_mul(2)).num_milliseconds();
    let ids = sqlx::query_scalar!(
        "SELECT id FROM host
         WHERE revoked_at IS NULL
           AND (joined_at IS NULL OR instance_id IS NULL OR broker_ready_at IS NULL OR paused_at IS NOT NULL
                OR stopped_at IS NOT NULL OR last_seen_at IS NULL
                OR last_seen_at < now() - CASE WHEN working > 0 THEN $1::bigint ELSE $5::bigint END
                                          * interval '1 millisecond'
                OR free_bytes < $2 OR abs(clock_offset_ms) > $3 OR processes <> '[]'
                OR EXISTS (SELECT FROM placement WHERE placement.host_id = host.id AND retired_at IS NULL
                             AND (problem IS NOT NULL OR drift IS NOT NULL)))
         ORDER BY id LIMIT $4",
        late(rhythm.beat_ms),
        LOW_DISK_BYTES,
        CLOCK_TOLERANCE_MS,
        SUSPECTS,
        late(rhythm.idle_beat_ms),
    )
    .fetch_all(&mut *conn)
    .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = select(conn, Some(&ids), None, SUSPECTS, rhythm).await?;
    found.retain(|examined| !examined.problems.is_empty());
    found.truncate(limit);
    Ok(found)
}

/// Ids of hosts that are not there; a coarse choice is judged, as for suspects.
pub async fn absent(conn: &mut PgConnection, rhythm: &Rhythm) -> StoreResult<Vec<String>> {
    let missed = |beat_ms: u64| {
        milliseconds(beat_ms.saturating_mul(u64::from(rhythm.unseen_beats))).num_milliseconds()
    };
    let rows = sqlx::query!(
        r#"SELECT id, joined_at, revoked_at, paused_at, last_seen_at, instance_id IS NOT NULL AS "has_instance!",
                  working > 0 AS "working!", now() AS "now!"
           FROM host
           WHERE joined_at IS NULL OR revoked_at IS NOT NULL OR paused_at IS NOT NULL OR instance_id IS NULL
              OR last_seen_at IS NULL
              OR last_seen_at < now() - CASE WHEN working > 0 THEN $1::bigint ELSE $2::bigint END
                                        * interval '1 millisecond'"#,
        missed(rhythm.beat_ms),
        missed(rhythm.idle_beat_ms),
    )
    .fetch_all(conn)
    .await?;
    let absent = rows.into_iter().filter_map(|row| {
        let presence = presence_of!(row, row.working);
        presence.absence(row.now, rhythm).map(|_| row.id)
    });
    Ok(absent.collect())
}

/// Ids of members that hold this text.
pub async fn holding(conn: &mut PgConnection, text: &str, limit: i64) -> StoreResult<Vec<String>> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM host WHERE revoked_at IS NULL AND position($1 IN id) > 0 ORDER BY id LIMIT $2",
        text,
        limit,
    );
    Ok(ids.fetch_all(conn).await?)
}

/// How many hosts are members.
pub async fn count(conn: &mut PgConnection) -> StoreResult<i64> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM host WHERE revoked_at IS NULL"#);
    Ok(count.fetch_one(conn).await?)
}

/// Hosts after the one named, each with what is wrong with it.
pub async fn examined(
    conn: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Examined>> {
    select(conn, None, after, limit, rhythm).await
}

/// The host with this id, with what is wrong with it.
pub async fn examine(conn: &mut PgConnection, id: &HostId, rhythm: &Rhythm) -> StoreResult<Option<Examined>> {
    Ok(select(conn, Some(&[id.to_string()]), None, 1, rhythm)
        .await?
        .pop())
}

struct Columns {
    id: String,
    display_name: String,
    labels: serde_json::Value,
    pools: Vec<String>,
    kinds: Vec<String>,
    public_key: Option<Vec<u8>>,
    broker_ready_at: Option<DateTime<Utc>>,
    joined_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    paused_at: Option<DateTime<Utc>>,
    paused_by: Option<String>,
    paused_reason: Option<String>,
    has_instance: bool,
    stopped_at: Option<DateTime<Utc>>,
    software: Option<String>,
    facts: serde_json::Value,
    last_seen_at: Option<DateTime<Utc>>,
    working: i32,
    free_bytes: Option<i64>,
    clock_offset_ms: Option<i64>,
    answer_ms: Option<i32>,
    answered_at: Option<DateTime<Utc>>,
    processes: serde_json::Value,
    broken_roots: Vec<String>,
    drifts: Vec<String>,
}

async fn select(
    conn: &mut PgConnection,
    only: Option<&[String]>,
    after: Option<&str>,
    limit: i64,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Examined>> {
    let now = crate::now(conn).await?;
    let rows = sqlx::query_as!(
        Columns,
        r#"SELECT id, display_name, labels, pools, kinds, public_key, broker_ready_at, joined_at, revoked_at, paused_at,
                  paused_by, paused_reason,
                  instance_id IS NOT NULL AS "has_instance!", stopped_at, software, facts, last_seen_at, working, free_bytes,
                  clock_offset_ms, answer_ms, answered_at, processes,
                  ARRAY(SELECT root || ': ' || problem FROM placement
                        WHERE placement.host_id = host.id AND retired_at IS NULL
                          AND problem IS NOT NULL ORDER BY root) AS "broken_roots!",
                  ARRAY(SELECT root || ': ' || drift FROM placement
                        WHERE placement.host_id = host.id AND retired_at IS NULL
                          AND problem IS NULL AND drift IS NOT NULL ORDER BY root) AS "drifts!"
           FROM host
           WHERE ($1::text[] IS NULL OR id = ANY ($1)) AND ($2::text IS NULL OR id > $2)
           ORDER BY id LIMIT $3"#,
        only,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| host(row, now, rhythm)).collect()
}

fn host(row: Columns, now: DateTime<Utc>, rhythm: &Rhythm) -> StoreResult<Examined> {
    let id = row.id.clone();
    let wrong = |what: &dyn ToString| StoreError::inconsistent("host", &id, what.to_string());
    let pause = row.paused_at.map(|since| Pause {
        since,
        by: row.paused_by.clone(),
        reason: row.paused_reason.clone(),
    });
    let presence = Presence {
        paused: pause.clone(),
        ..presence_of!(row, row.working > 0)
    };
    let absence = presence.absence(now, rhythm);
    let mut problems = problems(&row);
    let seen = absence.is_none();
    let late = presence.late(now, rhythm);
    // Who said goodbye is not missed; every other reason to be absent counts for more.
    let stopped = row
        .stopped_at
        .filter(|_| absence.as_ref().is_none_or(Absence::is_silence))
        .map(Problem::Stopped);
    let first = stopped
        .or_else(|| absence.map(Problem::Absent))
        .or_else(|| late.map(Problem::Late));
    problems.splice(0..0, first);
    let mut facts: BTreeMap<String, String> = serde_json::from_value(row.facts).map_err(|e| wrong(&e))?;
    let total_bytes = facts.remove(DISK_FACT).and_then(|bytes| bytes.parse().ok());
    let host = Host {
        id: row.id.parse().map_err(|e| wrong(&e))?,
        display_name: row.display_name,
        labels: serde_json::from_value(row.labels).map_err(|e| wrong(&e))?,
        pools: parsed(&row.pools).map_err(|e| wrong(&e))?,
        kinds: parsed(&row.kinds).map_err(|e| wrong(&e))?,
        seen,
        late: late.is_some(),
        stopped_at: row.stopped_at,
        paused: pause.map(host_pause),
        last_seen_at: row.last_seen_at,
        software: row.software,
        running: u32::try_from(row.working).unwrap_or_default(),
        free_bytes: row.free_bytes.and_then(|bytes| u64::try_from(bytes).ok()),
        total_bytes,
        clock_offset_ms: row.clock_offset_ms,
        answer_ms: row.answer_ms.and_then(|ms| u32::try_from(ms).ok()),
        answered_at: row.answered_at,
        facts,
        joined_at: row.joined_at,
        revoked_at: row.revoked_at,
        problems: problems.iter().map(ToString::to_string).collect(),
    };
    Ok(Examined { host, problems })
}

fn parsed<T: FromStr>(words: &[String]) -> Result<Vec<T>, T::Err> {
    words.iter().map(|word| word.parse()).collect()
}

fn host_pause(pause: Pause) -> HostPause {
    HostPause {
        since: pause.since,
        by: pause.by.unwrap_or_default(),
        reason: pause.reason.unwrap_or_default(),
    }
}

fn problems(row: &Columns) -> Vec<Problem> {
    let not_ready = row.public_key.is_some() && row.broker_ready_at.is_none();
    let offset = row
        .clock_offset_ms
        .filter(|offset| offset.abs() > CLOCK_TOLERANCE_MS);
    let survivors = row.processes.as_array().map(Vec::len).filter(|count| *count > 0);
    let of_roots = row.broken_roots.iter().cloned().map(Problem::Root);
    not_ready
        .then_some(Problem::BrokerNotReady)
        .into_iter()
        .chain(offset.map(Problem::Clock))
        .chain(
            row.free_bytes
                .filter(|free| *free < LOW_DISK_BYTES)
                .map(Problem::Disk),
        )
        .chain(survivors.map(Problem::Survivors))
        .chain(of_roots)
        .chain(row.drifts.iter().cloned().map(Problem::Drift))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn seconds(ms: i64) -> f64 {
    ms.unsigned_abs() as f64 / 1000.0
}
