//! The audit trail, newest first.

use pointsman_shared::api::tokens::AuditEntry;
use sqlx::PgConnection;

use crate::StoreResult;

/// Acts with a lower number than `before`.
pub async fn page(conn: &mut PgConnection, before: Option<i64>, limit: i64) -> StoreResult<Vec<AuditEntry>> {
    let rows = sqlx::query_as!(
        AuditEntry,
        "SELECT number, at, principal.name AS actor, address, action, object, result, detail
         FROM audit JOIN principal ON principal.id = principal_id
         WHERE $1::bigint IS NULL OR number < $1
         ORDER BY number DESC LIMIT $2",
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
