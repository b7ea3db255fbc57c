//! Which reports arrived: once each by (spool, number), and how far each spool is stored without a gap.
//!
//! The caller holds the host's row lock, so that two coordinators never answer for one spool at once.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::SpoolId;
use pointsman_shared::name::HostId;
use sqlx::PgConnection;

use crate::StoreResult;

/// Whether a report is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It was never seen; its content must be applied in this transaction.
    New,
    /// It was applied before.
    Duplicate,
}

/// Notes that a report arrived.
pub async fn note(
    conn: &mut PgConnection,
    host: &HostId,
    spool: SpoolId,
    seq: u64,
    now: DateTime<Utc>,
) -> StoreResult<Arrival> {
    let done = sqlx::query!(
        "INSERT INTO inbox (host_id, spool_id, seq, received_at)
         SELECT $1, $2, $3, $4
         WHERE NOT EXISTS (SELECT 1 FROM inbox_contiguous WHERE host_id = $1 AND spool_id = $2 AND upto >= $3)
         ON CONFLICT DO NOTHING",
        host.as_str(),
        spool.0,
        i64::try_from(seq).unwrap_or(i64::MAX),
        now,
    )
    .execute(conn)
    .await?;
    Ok(if done.rows_affected() == 1 {
        Arrival::New
    } else {
        Arrival::Duplicate
    })
}

/// Moves the mark of what is stored without a gap as far as it goes, and returns it.
pub async fn advance(conn: &mut PgConnection, host: &HostId, spool: SpoolId) -> StoreResult<u64> {
    let upto = sqlx::query_scalar!(
        r#"WITH base AS (
               SELECT COALESCE((SELECT upto FROM inbox_contiguous WHERE host_id = $1 AND spool_id = $2), 0) AS upto),
           run AS (
               SELECT seq, row_number() OVER (ORDER BY seq) AS place FROM inbox, base
               WHERE host_id = $1 AND spool_id = $2 AND seq > base.upto)
           INSERT INTO inbox_contiguous (host_id, spool_id, upto)
           SELECT $1, $2, COALESCE((SELECT max(seq) FROM run, base WHERE seq = base.upto + place), base.upto) FROM base
           ON CONFLICT (host_id, spool_id) DO UPDATE SET upto = EXCLUDED.upto
           RETURNING upto"#,
        host.as_str(),
        spool.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(u64::try_from(upto).unwrap_or_default())
}
