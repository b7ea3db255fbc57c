//! What concerns the one who looks: projects they work with, and the addresses that their commits bear.

use pointsman_shared::ids::PrincipalId;
use pointsman_shared::name::ProjectName;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// Projects that somebody built or deployed last, the newest first, of those that they still see; read from their last two hundred of each.
pub async fn projects(
    conn: &mut PgConnection,
    principal: PrincipalId,
    sight: Option<&[String]>,
    most: i64,
) -> StoreResult<Vec<ProjectName>> {
    let names = sqlx::query_scalar!(
        r#"SELECT project.name
           FROM ((SELECT release.project_id, release.created_at AS at FROM release
                  WHERE release.created_by = $1 ORDER BY release.created_at DESC LIMIT 200)
                 UNION ALL
                 (SELECT target.project_id, deployment.requested_at
                  FROM deployment JOIN target ON target.id = deployment.target_id
                  WHERE deployment.requested_by = $1 ORDER BY deployment.requested_at DESC LIMIT 200)) AS act
                JOIN project ON project.id = act.project_id AND project.archived_at IS NULL
           WHERE $3::text[] IS NULL OR project.name = ANY ($3)
           GROUP BY project.name ORDER BY max(act.at) DESC, project.name LIMIT $2"#,
        principal.0,
        most,
        sight,
    )
    .fetch_all(conn)
    .await?;
    names
        .into_iter()
        .map(|name| {
            name.parse()
                .map_err(|error| StoreError::inconsistent("project", &name, error))
        })
        .collect()
}

/// The e-mail address of somebody's account, in lower case.
pub async fn email(conn: &mut PgConnection, principal: PrincipalId) -> StoreResult<Option<String>> {
    let found = sqlx::query_scalar!("SELECT email FROM account WHERE principal_id = $1", principal.0);
    Ok(found.fetch_optional(conn).await?.flatten())
}
