//! What people said of releases, for gates to ask.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::{PrincipalId, ReleaseId};
use pointsman_shared::name::MarkName;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// Marks a release; said again, it is said anew.
pub async fn put(
    conn: &mut PgConnection,
    release: ReleaseId,
    mark: &MarkName,
    by: PrincipalId,
    evidence: Option<&str>,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO release_mark (release_id, mark, marked_by, evidence, marked_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (release_id, mark) DO UPDATE SET marked_by = $3, evidence = $4, marked_at = $5",
        release.0,
        mark.as_str(),
        by.0,
        evidence,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a mark back; false = the release did not bear it.
pub async fn remove(conn: &mut PgConnection, release: ReleaseId, mark: &MarkName) -> StoreResult<bool> {
    let done = sqlx::query!(
        "DELETE FROM release_mark WHERE release_id = $1 AND mark = $2",
        release.0,
        mark.as_str()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What a release is marked as.
pub async fn of_release(conn: &mut PgConnection, release: ReleaseId) -> StoreResult<Vec<MarkName>> {
    let marks = sqlx::query_scalar!(
        "SELECT mark FROM release_mark WHERE release_id = $1 ORDER BY mark",
        release.0
    )
    .fetch_all(conn)
    .await?;
    let wrong = |error| StoreError::inconsistent("release_mark", release, error);
    marks.iter().map(|mark| mark.parse().map_err(wrong)).collect()
}
