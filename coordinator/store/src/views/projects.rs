//! Projects, by name.

use pointsman_shared::api::projects::Project;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// Projects after the one named; only these, where `sight` names some.
pub async fn page(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
    after: Option<&str>,
    limit: i64,
) -> StoreResult<Vec<Project>> {
    select(conn, sight, after, limit).await
}

/// The project of this name.
pub async fn one(conn: &mut PgConnection, name: &str) -> StoreResult<Option<Project>> {
    let only = [name.to_owned()];
    Ok(select(conn, Some(&only), None, 1).await?.pop())
}

async fn select(
    conn: &mut PgConnection,
    only: Option<&[String]>,
    after: Option<&str>,
    limit: i64,
) -> StoreResult<Vec<Project>> {
    let rows = sqlx::query!(
        "SELECT name, repository, subdirectory, pool, created_at FROM project
         WHERE archived_at IS NULL AND ($1::text[] IS NULL OR name = ANY($1)) AND ($2::text IS NULL OR name > $2)
         ORDER BY name LIMIT $3",
        only,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |error| StoreError::inconsistent("project", &row.name, error);
            Ok(Project {
                name: row.name.parse().map_err(wrong)?,
                repository: row.repository,
                subdirectory: row.subdirectory,
                pool: row.pool.parse().map_err(wrong)?,
                created_at: row.created_at,
            })
        })
        .collect()
}
