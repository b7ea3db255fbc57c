//! Which objects of the artifact store are there. A row is touched before an upload and after it; whoever collects
//! the store takes the row's lock and spares what was touched lately.

use chrono::{DateTime, Utc};
use pointsman_shared::digest::Digest;
use sqlx::PgConnection;

use crate::StoreResult;

/// Announces an upload (or touches an object that is there); returns its size when it is there already.
pub async fn announce(
    conn: &mut PgConnection,
    kind: &str,
    digest: &Digest,
    now: DateTime<Utc>,
) -> StoreResult<Option<u64>> {
    let bytes = sqlx::query_scalar!(
        "INSERT INTO stored_object (kind, digest, touched_at) VALUES ($1, $2, $3)
         ON CONFLICT (kind, digest) DO UPDATE SET touched_at = excluded.touched_at
         RETURNING bytes",
        kind,
        digest.as_bytes().as_slice(),
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()))
}

/// Notes that an object is complete.
pub async fn complete(
    conn: &mut PgConnection,
    kind: &str,
    digest: &Digest,
    bytes: u64,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE stored_object SET bytes = $3, touched_at = $4 WHERE kind = $1 AND digest = $2",
        kind,
        digest.as_bytes().as_slice(),
        i64::try_from(bytes).unwrap_or(i64::MAX),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
