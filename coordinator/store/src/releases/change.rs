//! Writing releases: asked for, being built, built or not. Once built they never change.

use chrono::{DateTime, Utc};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::ReleaseId;
use sqlx::PgConnection;

use super::{Built, NewRelease};
use crate::{StoreError, StoreResult};

/// Inserts a release as `queued`, with its source.
pub async fn insert(conn: &mut PgConnection, new: &NewRelease<'_>) -> StoreResult<()> {
    let recipe =
        serde_json::to_value(new.recipe).map_err(|e| StoreError::inconsistent("release", new.id, e))?;
    let digest = new.recipe_body.map(|body| Digest::of(body.as_bytes()));
    sqlx::query!(
        "INSERT INTO release (id, project_id, number, label, reference, commit_id, subject, author, state, origin,
                              recipe_body, recipe_digest, recipe, created_by, created_at, recipe_document_id,
                              committed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $9, $10, $11, $12, $13, $14, $15, $16)",
        new.id.0,
        new.project.0,
        i32::try_from(new.number).unwrap_or(i32::MAX),
        new.label.as_str(),
        new.reference,
        new.commit.as_str(),
        new.subject,
        new.author,
        new.origin,
        new.recipe_body,
        digest.as_ref().map(|digest| digest.as_bytes().as_slice()),
        recipe,
        new.by.0,
        new.at,
        new.recipe_document,
        new.committed_at,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "INSERT INTO release_source (release_id, repository, path, commit_id) VALUES ($1, $2, $3, $4)",
        new.id.0,
        new.repository,
        new.subdirectory.unwrap_or_default(),
        new.commit.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A builder began.
pub async fn set_building(conn: &mut PgConnection, id: ReleaseId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE release SET state = 'building' WHERE id = $1 AND state = 'queued'",
        id.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Its build is complete; from here on it never changes.
pub async fn set_built(
    conn: &mut PgConnection,
    id: ReleaseId,
    built: &Built,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    let size = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    sqlx::query!(
        "UPDATE release SET state = 'built', manifest_digest = $2, archive_digest = $3, packing_digest = $4,
                archive_bytes = $5, total_bytes = $6, entries = $7, folder = $8, built_at = $9
         WHERE id = $1 AND state IN ('queued', 'building')",
        id.0,
        built.manifest.as_bytes().as_slice(),
        built.archive.as_bytes().as_slice(),
        built.packing.as_bytes().as_slice(),
        size(built.archive_bytes),
        size(built.total_bytes),
        size(built.entries),
        built.folder.as_str(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Its build failed or was cancelled.
pub async fn set_unbuilt(
    conn: &mut PgConnection,
    id: ReleaseId,
    cancelled: bool,
    reason: &str,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE release SET state = CASE WHEN $2 THEN 'cancelled' ELSE 'failed' END, failure = $3
         WHERE id = $1 AND state IN ('queued', 'building')",
        id.0,
        cancelled,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}
