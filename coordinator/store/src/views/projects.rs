//! Projects, by name.

use std::collections::BTreeMap;

use pointsman_shared::api::projects::Project;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// Projects after the one named, whose name holds this text; of these alone, where `sight` names some.
pub async fn page(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
    after: Option<&str>,
    holding: &str,
    limit: i64,
) -> StoreResult<Vec<Project>> {
    select(conn, sight, after, holding, limit).await
}

/// The project of this name.
pub async fn one(conn: &mut PgConnection, name: &str) -> StoreResult<Option<Project>> {
    let only = [name.to_owned()];
    Ok(select(conn, Some(&only), None, "", 1).await?.pop())
}

/// Names of projects that have a target, after the one named, whose name holds this text; of these alone, where `sight`
/// names some.
pub async fn with_targets(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
    after: Option<&str>,
    holding: &str,
    limit: i64,
) -> StoreResult<Vec<String>> {
    let names = sqlx::query_scalar!(
        "SELECT name FROM project
         WHERE archived_at IS NULL AND ($1::text IS NULL OR name > $1) AND position(lower($2) IN name) > 0
           AND EXISTS (SELECT FROM target WHERE target.project_id = project.id)
           AND ($4::text[] IS NULL OR name = ANY ($4))
         ORDER BY name LIMIT $3",
        after,
        holding,
        limit,
        sight,
    );
    Ok(names.fetch_all(conn).await?)
}

/// How many targets each of these projects has; those without any are left out.
pub async fn targets(conn: &mut PgConnection, names: &[String]) -> StoreResult<BTreeMap<String, i64>> {
    let rows = sqlx::query!(
        r#"SELECT project.name, count(*) AS "targets!" FROM target JOIN project ON project.id = target.project_id
           WHERE project.name = ANY ($1) GROUP BY 1"#,
        names,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.targets)).collect())
}

async fn select(
    conn: &mut PgConnection,
    only: Option<&[String]>,
    after: Option<&str>,
    holding: &str,
    limit: i64,
) -> StoreResult<Vec<Project>> {
    let rows = sqlx::query!(
        "SELECT name, repository, subdirectory, pool, ticket_pattern, ticket_link, created_at FROM project
         WHERE archived_at IS NULL AND ($1::text[] IS NULL OR name = ANY ($1)) AND ($2::text IS NULL OR name > $2)
           AND position(lower($3) IN name) > 0
         ORDER BY name LIMIT $4",
        only,
        after,
        holding,
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
                tickets: crate::projects::tickets(row.ticket_pattern, row.ticket_link),
                created_at: row.created_at,
            })
        })
        .collect()
}
