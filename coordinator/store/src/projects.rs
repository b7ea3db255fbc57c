//! Projects, and the one place their release numbers come from.

use chrono::{DateTime, Utc};
use pointsman_shared::api::projects::Tickets;
use pointsman_shared::ids::ProjectId;
use pointsman_shared::name::{PoolName, ProjectName};
use pointsman_shared::repository::RepositoryUrl;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A project as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRow {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: ProjectName,
    /// Where its source is.
    pub repository: RepositoryUrl,
    /// The folder of the repository that is the project.
    pub subdirectory: Option<String>,
    /// The pool that builds it.
    pub pool: PoolName,
    /// How its commits name tickets.
    pub tickets: Option<Tickets>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

struct Columns {
    id: uuid::Uuid,
    name: String,
    repository: String,
    subdirectory: Option<String>,
    pool: String,
    ticket_pattern: Option<String>,
    ticket_link: Option<String>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Columns> for ProjectRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let wrong = |what: &dyn ToString| StoreError::inconsistent("project", row.id, what.to_string());
        Ok(Self {
            id: ProjectId(row.id),
            name: row.name.parse().map_err(|e| wrong(&e))?,
            repository: row.repository.parse().map_err(|e| wrong(&e))?,
            subdirectory: row.subdirectory,
            pool: row.pool.parse().map_err(|e| wrong(&e))?,
            tickets: tickets(row.ticket_pattern, row.ticket_link),
            created_at: row.created_at,
        })
    }
}

/// Both or none: so says a check of the table.
pub(crate) fn tickets(pattern: Option<String>, link: Option<String>) -> Option<Tickets> {
    let (pattern, link) = pattern.zip(link)?;
    Some(Tickets { pattern, link })
}

/// The project with this name.
pub async fn find(conn: &mut PgConnection, name: &ProjectName) -> StoreResult<Option<ProjectRow>> {
    let row = sqlx::query_as!(
        Columns,
        "SELECT id, name, repository, subdirectory, pool, ticket_pattern, ticket_link, created_at FROM project
         WHERE name = $1 AND archived_at IS NULL",
        name.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(ProjectRow::try_from).transpose()
}

/// The project with this id.
pub async fn get(conn: &mut PgConnection, id: ProjectId) -> StoreResult<Option<ProjectRow>> {
    let row = sqlx::query_as!(
        Columns,
        "SELECT id, name, repository, subdirectory, pool, ticket_pattern, ticket_link, created_at FROM project
         WHERE id = $1",
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(ProjectRow::try_from).transpose()
}

/// One project of each pool.
pub async fn one_per_pool(conn: &mut PgConnection) -> StoreResult<Vec<ProjectRow>> {
    let rows = sqlx::query_as!(
        Columns,
        "SELECT DISTINCT ON (pool) id, name, repository, subdirectory, pool, ticket_pattern, ticket_link, created_at
         FROM project
         WHERE archived_at IS NULL ORDER BY pool, name",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(ProjectRow::try_from).collect()
}

/// Names of all projects, for suggestions.
pub async fn names(conn: &mut PgConnection) -> StoreResult<Vec<String>> {
    let names = sqlx::query_scalar!("SELECT name FROM project WHERE archived_at IS NULL ORDER BY name")
        .fetch_all(conn)
        .await?;
    Ok(names)
}

/// Every project, by name.
pub async fn all_names(conn: &mut PgConnection) -> StoreResult<Vec<ProjectName>> {
    names(conn)
        .await?
        .into_iter()
        .map(|name| {
            name.parse()
                .map_err(|error| StoreError::inconsistent("project", &name, error))
        })
        .collect()
}

/// Inserts a project.
pub async fn insert(conn: &mut PgConnection, project: &ProjectRow) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO project (id, name, repository, subdirectory, pool, created_at, ticket_pattern, ticket_link)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        project.id.0,
        project.name.as_str(),
        project.repository.to_string(),
        project.subdirectory,
        project.pool.as_str(),
        project.created_at,
        project.tickets.as_ref().map(|tickets| &tickets.pattern),
        project.tickets.as_ref().map(|tickets| &tickets.link),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes where a project's source is, who builds it and how it names tickets; its name stays.
pub async fn update(conn: &mut PgConnection, project: &ProjectRow) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE project SET repository = $2, subdirectory = $3, pool = $4, ticket_pattern = $5, ticket_link = $6
         WHERE id = $1",
        project.id.0,
        project.repository.to_string(),
        project.subdirectory,
        project.pool.as_str(),
        project.tickets.as_ref().map(|tickets| &tickets.pattern),
        project.tickets.as_ref().map(|tickets| &tickets.link),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Says how a project's commits name tickets; none = they name none.
pub async fn set_tickets(
    conn: &mut PgConnection,
    id: ProjectId,
    tickets: Option<&Tickets>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE project SET ticket_pattern = $2, ticket_link = $3 WHERE id = $1",
        id.0,
        tickets.map(|tickets| &tickets.pattern),
        tickets.map(|tickets| &tickets.link),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the project's next release number; its row stays locked until the transaction ends.
pub async fn take_release_number(conn: &mut PgConnection, id: ProjectId) -> StoreResult<u32> {
    let number = sqlx::query_scalar!(
        r#"UPDATE project SET next_release_number = next_release_number + 1 WHERE id = $1
           RETURNING next_release_number - 1 AS "number!""#,
        id.0,
    )
    .fetch_one(conn)
    .await?;
    u32::try_from(number).map_err(|error| StoreError::inconsistent("project", id, error))
}
