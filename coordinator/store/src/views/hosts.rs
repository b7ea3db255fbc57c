//! Hosts with what is wrong with them, by id.

use chrono::{DateTime, Utc};
use pointsman_domain::presence::{Presence, Rhythm};
use pointsman_shared::api::fleet::Host;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A clock that is off by more is named.
const CLOCK_TOLERANCE_MS: i64 = 5_000;
/// A disk with less than this free is named.
const LOW_DISK_BYTES: i64 = 1 << 30;

/// Hosts after the one named.
pub async fn page(
    conn: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Host>> {
    select(conn, None, after, limit, rhythm).await
}

/// The host with this id.
pub async fn one(conn: &mut PgConnection, id: &str, rhythm: &Rhythm) -> StoreResult<Option<Host>> {
    Ok(select(conn, Some(id), None, 1, rhythm).await?.pop())
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
    has_instance: bool,
    software: Option<String>,
    facts: serde_json::Value,
    last_seen_at: Option<DateTime<Utc>>,
    working: i32,
    free_bytes: Option<i64>,
    clock_offset_ms: Option<i64>,
    processes: serde_json::Value,
    drifts: Vec<String>,
}

async fn select(
    conn: &mut PgConnection,
    only: Option<&str>,
    after: Option<&str>,
    limit: i64,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Host>> {
    let now = crate::now(conn).await?;
    let rows = sqlx::query_as!(
        Columns,
        r#"SELECT id, display_name, labels, pools, kinds, public_key, broker_ready_at, joined_at, revoked_at, paused_at,
                  instance_id IS NOT NULL AS "has_instance!", software, facts, last_seen_at, working, free_bytes,
                  clock_offset_ms, processes,
                  ARRAY(SELECT root || ': ' || COALESCE(problem, drift) FROM placement
                        WHERE placement.host_id = host.id AND retired_at IS NULL
                          AND COALESCE(problem, drift) IS NOT NULL ORDER BY root) AS "drifts!"
           FROM host
           WHERE ($1::text IS NULL OR id = $1) AND ($2::text IS NULL OR id > $2)
           ORDER BY id LIMIT $3"#,
        only,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| host(row, now, rhythm)).collect()
}

fn host(row: Columns, now: DateTime<Utc>, rhythm: &Rhythm) -> StoreResult<Host> {
    let id = row.id.clone();
    let wrong = |what: &dyn ToString| StoreError::inconsistent("host", &id, what.to_string());
    let presence = Presence {
        joined_at: row.joined_at,
        revoked_at: row.revoked_at,
        paused_at: row.paused_at,
        last_seen_at: row.last_seen_at,
        has_instance: row.has_instance,
        working: row.working > 0,
    };
    let absence = presence.absence(now, rhythm);
    let mut problems = problems(&row);
    problems.splice(0..0, absence.map(|absence| absence.to_string()));
    Ok(Host {
        id: row.id.parse().map_err(|e| wrong(&e))?,
        display_name: row.display_name,
        labels: serde_json::from_value(row.labels).map_err(|e| wrong(&e))?,
        pools: row
            .pools
            .iter()
            .map(|pool| pool.parse())
            .collect::<Result<_, _>>()
            .map_err(|e| wrong(&e))?,
        kinds: row
            .kinds
            .iter()
            .map(|kind| kind.parse())
            .collect::<Result<_, _>>()
            .map_err(|e| wrong(&e))?,
        seen: absence.is_none(),
        last_seen_at: row.last_seen_at,
        software: row.software,
        running: u32::try_from(row.working).unwrap_or_default(),
        free_bytes: row.free_bytes.and_then(|bytes| u64::try_from(bytes).ok()),
        facts: serde_json::from_value(row.facts).map_err(|e| wrong(&e))?,
        joined_at: row.joined_at,
        revoked_at: row.revoked_at,
        problems,
    })
}

fn problems(row: &Columns) -> Vec<String> {
    let mut problems = Vec::new();
    if row.public_key.is_some() && row.broker_ready_at.is_none() {
        problems.push("its broker user, rights or queues do not stand yet".to_owned());
    }
    if let Some(offset) = row
        .clock_offset_ms
        .filter(|offset| offset.abs() > CLOCK_TOLERANCE_MS)
    {
        let direction = if offset > 0 { "ahead" } else { "behind" };
        problems.push(format!("its clock is {:.1} s {direction}", seconds(offset)));
    }
    if let Some(free) = row.free_bytes.filter(|free| *free < LOW_DISK_BYTES) {
        problems.push(format!("its disk is nearly full: {} MB free", free / 1_000_000));
    }
    if let Some(survivors) = row.processes.as_array().filter(|list| !list.is_empty()) {
        problems.push(format!(
            "{} processes of earlier jobs would not end",
            survivors.len()
        ));
    }
    problems.extend(row.drifts.iter().cloned());
    problems
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn seconds(ms: i64) -> f64 {
    ms.unsigned_abs() as f64 / 1000.0
}
