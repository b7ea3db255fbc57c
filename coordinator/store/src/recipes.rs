//! Recipes that the coordinator keeps: revisions are only added.

use chrono::{DateTime, Utc};
use pointsman_shared::api::recipes::{RecipeRevision, RecipeSource};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{PrincipalId, ProjectId};
use pointsman_shared::name::ProjectName;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, StoreResult};

/// A revision with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Id of the document.
    pub id: Uuid,
    /// The revision.
    pub revision: RecipeRevision,
}

struct Columns {
    id: Uuid,
    revision: i32,
    body: String,
    digest: Vec<u8>,
    author: String,
    note: Option<String>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Columns> for Kept {
    type Error = StoreError;

    fn try_from(row: Columns) -> StoreResult<Self> {
        let wrong = |what: &dyn ToString| StoreError::inconsistent("document", row.id, what.to_string());
        let digest = <[u8; 32]>::try_from(row.digest).map_err(|_| wrong(&"its digest has not 32 bytes"))?;
        Ok(Self {
            id: row.id,
            revision: RecipeRevision {
                revision: u32::try_from(row.revision).map_err(|e| wrong(&e))?,
                body: row.body,
                digest: Digest::from_bytes(digest),
                author: row.author,
                note: row.note,
                at: row.created_at,
            },
        })
    }
}

/// Revisions of a project's recipe, newest first: those before one, or a single one.
pub async fn revisions(
    conn: &mut PgConnection,
    project: &ProjectName,
    only: Option<i32>,
    before: Option<i32>,
    limit: i64,
) -> StoreResult<Vec<Kept>> {
    let rows = sqlx::query_as!(
        Columns,
        "SELECT document.id, revision, body, digest, principal.name AS author, note, document.created_at
         FROM document JOIN principal ON principal.id = document.author
         WHERE document.kind = 'recipe' AND scope = 'project' AND document.name = $1
           AND ($2::integer IS NULL OR revision = $2) AND ($3::integer IS NULL OR revision < $3)
         ORDER BY revision DESC LIMIT $4",
        project.as_str(),
        only,
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Kept::try_from).collect()
}

/// Adds a revision.
pub async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    project: &ProjectName,
    revision: u32,
    (body, note): (&str, Option<&str>),
    author: PrincipalId,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    let digest = Digest::of(body.as_bytes());
    sqlx::query!(
        "INSERT INTO document (id, kind, scope, name, revision, body, digest, author, created_at, note)
         VALUES ($1, 'recipe', 'project', $2, $3, $4, $5, $6, $7, $8)",
        id,
        project.as_str(),
        i32::try_from(revision).unwrap_or(i32::MAX),
        body,
        digest.as_bytes(),
        author.0,
        at,
        note,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What counts for a project, its row locked until the transaction ends.
pub async fn lock_source(conn: &mut PgConnection, project: ProjectId) -> StoreResult<RecipeSource> {
    let source = sqlx::query_scalar!(
        "SELECT recipe_from FROM project WHERE id = $1 FOR NO KEY UPDATE",
        project.0
    )
    .fetch_one(conn)
    .await?;
    source_named(project, &source)
}

/// What counts for a project.
pub async fn source(conn: &mut PgConnection, project: ProjectId) -> StoreResult<RecipeSource> {
    let source = sqlx::query_scalar!("SELECT recipe_from FROM project WHERE id = $1", project.0)
        .fetch_one(conn)
        .await?;
    source_named(project, &source)
}

fn source_named(project: ProjectId, name: &str) -> StoreResult<RecipeSource> {
    [RecipeSource::Repository, RecipeSource::Coordinator]
        .into_iter()
        .find(|source| source.as_str() == name)
        .ok_or_else(|| StoreError::inconsistent("project", project, "its recipe comes from nowhere we know"))
}

/// Says what counts from now on.
pub async fn set_source(conn: &mut PgConnection, project: ProjectId, from: RecipeSource) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE project SET recipe_from = $2 WHERE id = $1",
        project.0,
        from.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}
