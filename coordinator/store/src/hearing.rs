//! When anybody of the fleet was last heard.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::StoreResult;

/// When the newest message of any current agent arrived; none when no agent ever spoke.
pub async fn last_heard(conn: &mut PgConnection) -> StoreResult<Option<DateTime<Utc>>> {
    let last = sqlx::query_scalar!(
        "SELECT max(last_seen_at) FROM host WHERE instance_id IS NOT NULL AND revoked_at IS NULL AND paused_at IS NULL",
    )
    .fetch_one(conn)
    .await?;
    Ok(last)
}
