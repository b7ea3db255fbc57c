//! Known causes of failures, by number: the older one has the first word.

use chrono::{DateTime, Utc};
use pointsman_shared::api::causes::{Cause, NewCause};
use pointsman_shared::ids::PrincipalId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::StoreResult;

/// Adds a cause and returns its number; none = there is one with this pattern.
pub async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    wish: &NewCause,
    by: PrincipalId,
    at: DateTime<Utc>,
) -> StoreResult<Option<i64>> {
    let number = sqlx::query_scalar!(
        "INSERT INTO known_cause (id, pattern, sentence, action, created_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (pattern) DO NOTHING RETURNING number",
        id,
        wish.pattern,
        wish.sentence,
        wish.action,
        by.0,
        at,
    )
    .fetch_optional(conn)
    .await?;
    Ok(number)
}

/// Changes a cause; false = another one has this pattern, or there is none of this number.
pub async fn change(
    conn: &mut PgConnection,
    number: i64,
    wish: &NewCause,
    by: PrincipalId,
    at: DateTime<Utc>,
) -> StoreResult<bool> {
    let done = sqlx::query!(
        "UPDATE known_cause SET pattern = $2, sentence = $3, action = $4, created_by = $5, changed_at = $6
         WHERE number = $1 AND NOT EXISTS (SELECT 1 FROM known_cause AS other WHERE other.pattern = $2 AND other.number <> $1)",
        number,
        wish.pattern,
        wish.sentence,
        wish.action,
        by.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Removes a cause.
pub async fn remove(conn: &mut PgConnection, number: i64) -> StoreResult<()> {
    sqlx::query!("DELETE FROM known_cause WHERE number = $1", number)
        .execute(conn)
        .await?;
    Ok(())
}

/// Causes by number, after a number; or the one of this number.
pub async fn list(
    conn: &mut PgConnection,
    only: Option<i64>,
    after: i64,
    limit: i64,
) -> StoreResult<Vec<Cause>> {
    let causes = sqlx::query_as!(
        Cause,
        r#"SELECT number, pattern, sentence, action, principal.name AS "created_by?", changed_at
           FROM known_cause LEFT JOIN principal ON principal.id = created_by
           WHERE ($1::bigint IS NULL OR number = $1) AND number > $2 ORDER BY number LIMIT $3"#,
        only,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(causes)
}
