//! Environments: named stages in the order of promotion.

use chrono::{DateTime, Utc};
use pointsman_shared::api::projects::Environment;
use pointsman_shared::ids::EnvironmentId;
use pointsman_shared::name::EnvironmentName;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// Adds an environment.
pub async fn insert(
    conn: &mut PgConnection,
    id: EnvironmentId,
    environment: &Environment,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO environment (id, name, position, created_at) VALUES ($1, $2, $3, $4)",
        id.0,
        environment.name.as_str(),
        environment.position,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves an environment in the order of promotion.
pub async fn set_position(conn: &mut PgConnection, id: EnvironmentId, position: i32) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE environment SET position = $2 WHERE id = $1",
        id.0,
        position
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks the environment of this name until the transaction ends.
pub async fn lock(
    conn: &mut PgConnection,
    name: &EnvironmentName,
) -> StoreResult<Option<(EnvironmentId, Environment)>> {
    let row = sqlx::query!(
        "SELECT id, position FROM environment WHERE name = $1 FOR UPDATE",
        name.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let environment = Environment {
            name: name.clone(),
            position: row.position,
        };
        (EnvironmentId(row.id), environment)
    }))
}

/// Every environment's name, in the order of promotion.
pub async fn names(conn: &mut PgConnection) -> StoreResult<Vec<String>> {
    Ok(
        sqlx::query_scalar!("SELECT name FROM environment ORDER BY position, name")
            .fetch_all(conn)
            .await?,
    )
}

/// Environments in the order of promotion, after the one named.
pub async fn list(conn: &mut PgConnection, after: Option<&str>, limit: i64) -> StoreResult<Vec<Environment>> {
    let rows = sqlx::query!(
        "SELECT name, position FROM environment
         WHERE $1::text IS NULL
            OR (position, name) > (SELECT last.position, last.name FROM environment last WHERE last.name = $1)
         ORDER BY position, name LIMIT $2",
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Environment {
                name: row
                    .name
                    .parse()
                    .map_err(|error| StoreError::inconsistent("environment", &row.name, error))?,
                position: row.position,
            })
        })
        .collect()
}
