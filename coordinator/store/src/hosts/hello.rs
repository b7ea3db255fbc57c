//! What an agent says of itself, and what the coordinator notes when it hears it.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_domain::presence::Pause;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::InstanceId;
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{Heartbeat, Hello};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// How a hello is noted.
#[derive(Debug, Clone, Copy)]
pub struct Greeting<'a> {
    /// The hello.
    pub hello: &'a Hello,
    /// Whether another process was current before.
    pub new_instance: bool,
    /// The host's clock less ours, in milliseconds.
    pub clock_offset_ms: i64,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Makes the process that said hello the host's current one. A new process counts its beats from the start.
pub async fn greet(conn: &mut PgConnection, greeting: &Greeting<'_>) -> StoreResult<()> {
    let hello = greeting.hello;
    let json = |value: Result<serde_json::Value, serde_json::Error>| {
        value.map_err(|error| StoreError::inconsistent("host", &hello.host, error))
    };
    let versions: Vec<i32> = hello.wire.iter().map(|version| i32::from(*version)).collect();
    sqlx::query!(
        "UPDATE host SET instance_id = $2, boot_id = $3, software = $4, wire_versions = $5, facts = $6, slots = $7,
             processes = $8, hello_nonce = $9, hello_at = $10, last_seen_at = $10, lost_at = NULL, stopped_at = NULL, working = $11,
             last_beat = CASE WHEN $12 THEN 0 ELSE last_beat END,
             busy_kinds = CASE WHEN $12 THEN '{}' ELSE busy_kinds END, clock_offset_ms = $13
         WHERE id = $1",
        hello.host.as_str(),
        hello.instance.0,
        hello.boot_id,
        hello.software,
        &versions,
        json(serde_json::to_value(&hello.facts))?,
        json(serde_json::to_value(&hello.slots))?,
        json(serde_json::to_value(&hello.processes))?,
        hello.nonce.0,
        greeting.at,
        i32::try_from(hello.working.len()).unwrap_or(i32::MAX),
        greeting.new_instance,
        greeting.clock_offset_ms,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes a beat of a locked host's current process that is newer than the last one.
pub async fn heard(
    conn: &mut PgConnection,
    beat: &Heartbeat,
    clock_offset_ms: i64,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET last_seen_at = $2, lost_at = NULL, last_beat = $3, working = $4, free_bytes = $5, clock_offset_ms = $6
         WHERE id = $1",
        beat.host.as_str(),
        now,
        i64::try_from(beat.beat).unwrap_or(i64::MAX),
        i32::try_from(beat.working.len()).unwrap_or(i32::MAX),
        i64::try_from(beat.free_bytes).unwrap_or(i64::MAX),
        clock_offset_ms,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes how long a host took from an offer to its claim, which came now.
pub async fn note_answer(
    conn: &mut PgConnection,
    host: &HostId,
    took: TimeDelta,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET answer_ms = $2, answered_at = $3 WHERE id = $1",
        host.as_str(),
        i32::try_from(took.num_milliseconds().max(0)).unwrap_or(i32::MAX),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a host's process said it ends; false = another process speaks for the host by now.
pub async fn note_stopped(
    conn: &mut PgConnection,
    host: &HostId,
    instance: InstanceId,
    at: DateTime<Utc>,
) -> StoreResult<bool> {
    let done = sqlx::query!(
        "UPDATE host SET stopped_at = $3 WHERE id = $1 AND instance_id = $2",
        host.as_str(),
        instance.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes that somebody paused a host, or that it goes on.
pub async fn set_pause(conn: &mut PgConnection, host: &HostId, pause: Option<&Pause>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET paused_at = $2, paused_by = $3, paused_reason = $4 WHERE id = $1",
        host.as_str(),
        pause.map(|pause| pause.since),
        pause.and_then(|pause| pause.by.as_deref()),
        pause.and_then(|pause| pause.reason.as_deref()),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes hosts that were silent for so long, once for each silence; with when they were last heard.
pub async fn lose(conn: &mut PgConnection, silent_ms: u64) -> StoreResult<Vec<(HostId, DateTime<Utc>)>> {
    let rows = sqlx::query!(
        r#"UPDATE host SET lost_at = now()
           WHERE lost_at IS NULL AND joined_at IS NOT NULL AND revoked_at IS NULL AND paused_at IS NULL
             AND instance_id IS NOT NULL AND last_seen_at < now() - make_interval(secs => $1)
           RETURNING id, last_seen_at AS "last!""#,
        f64::from(u32::try_from(silent_ms).unwrap_or(u32::MAX)) / 1_000.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let host = row.id.parse();
            let host = host.map_err(|error| StoreError::inconsistent("host", &row.id, error))?;
            Ok((host, row.last))
        })
        .collect()
}

/// Notes that a host has no free slot for a kind.
pub async fn mark_busy(conn: &mut PgConnection, host: &HostId, kind: JobKind) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET busy_kinds = array_append(busy_kinds, $2) WHERE id = $1 AND NOT $2 = ANY (busy_kinds)",
        host.as_str(),
        kind.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a host has a free slot for a kind again.
pub async fn mark_free(conn: &mut PgConnection, host: &HostId, kind: JobKind) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET busy_kinds = array_remove(busy_kinds, $2) WHERE id = $1",
        host.as_str(),
        kind.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The next number of a control to this host.
pub async fn next_control_serial(conn: &mut PgConnection, host: &HostId) -> StoreResult<u64> {
    let serial = sqlx::query_scalar!(
        "UPDATE host SET control_serial = control_serial + 1 WHERE id = $1 RETURNING control_serial",
        host.as_str(),
    )
    .fetch_one(conn)
    .await?;
    Ok(u64::try_from(serial).unwrap_or_default())
}

/// Keeps the digest over the placement states that are stored now; none = we do not know the host's state.
pub async fn store_state_digest(
    conn: &mut PgConnection,
    host: &HostId,
    digest: Option<&Digest>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET state_digest = $2 WHERE id = $1",
        host.as_str(),
        digest.map(|digest| digest.as_bytes().as_slice()),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes since when a host's broker user, rights and queues stand.
pub async fn note_broker_ready(
    conn: &mut PgConnection,
    host: &HostId,
    at: Option<DateTime<Utc>>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET broker_ready_at = $2 WHERE id = $1",
        host.as_str(),
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the current process, so that the next hello is taken whoever says it; for a host that joins again.
pub async fn clear_instance(conn: &mut PgConnection, host: &HostId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET instance_id = NULL, hello_nonce = NULL, state_digest = NULL, stopped_at = NULL, last_beat = 0, working = 0
         WHERE id = $1",
        host.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
