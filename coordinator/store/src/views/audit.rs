//! The audit trail, newest first.

use chrono::{DateTime, Utc};
use pointsman_shared::api::tokens::AuditEntry;
use pointsman_shared::ids::PrincipalId;
use sqlx::PgConnection;

use crate::StoreResult;

/// Which acts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// With a lower number.
    pub before: Option<i64>,
    /// Of the principals with this name.
    pub who: Option<&'a str>,
    /// Of this very principal.
    pub principal: Option<PrincipalId>,
    /// Whose action is this, or begins with this and a dot.
    pub what: Option<&'a str>,
    /// On an object whose name has this in it.
    pub object: Option<&'a str>,
    /// Not before then.
    pub since: Option<DateTime<Utc>>,
    /// Before then.
    pub until: Option<DateTime<Utc>>,
}

/// What was done to exactly this object, oldest first.
pub async fn done_to(conn: &mut PgConnection, object: &str, limit: i64) -> StoreResult<Vec<AuditEntry>> {
    let rows = sqlx::query_as!(
        AuditEntry,
        "SELECT number, at, principal.name AS actor, principal.kind, address, action, object, result, detail
         FROM audit JOIN principal ON principal.id = principal_id
         WHERE object = $1 AND result = 'done' ORDER BY number LIMIT $2",
        object,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// A page of them.
pub async fn page(conn: &mut PgConnection, wanted: Wanted<'_>, limit: i64) -> StoreResult<Vec<AuditEntry>> {
    let rows = sqlx::query_as!(
        AuditEntry,
        "SELECT number, at, principal.name AS actor, principal.kind, address, action, object, result, detail
         FROM audit JOIN principal ON principal.id = principal_id
         WHERE ($1::bigint IS NULL OR number < $1)
           AND ($2::text IS NULL OR principal.name = $2)
           AND ($3::uuid IS NULL OR principal_id = $3)
           AND ($4::text IS NULL OR action = $4 OR starts_with(action, $4 || '.'))
           AND ($5::timestamptz IS NULL OR at >= $5)
           AND ($6::text IS NULL OR strpos(object, $6) > 0)
           AND ($7::timestamptz IS NULL OR at < $7)
         ORDER BY number DESC LIMIT $8",
        wanted.before,
        wanted.who,
        wanted.principal.map(|principal| principal.0),
        wanted.what,
        wanted.since,
        wanted.object,
        wanted.until,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
