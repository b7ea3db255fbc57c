//! Releases and objects in the artifact store that nobody needs any more.

use chrono::{DateTime, Utc};
use pointsman_domain::retention::Candidate;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::{ProjectName, ReleaseLabel};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A built release whose bytes are in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRelease {
    /// What decides about it.
    pub candidate: Candidate,
    /// Its label.
    pub label: ReleaseLabel,
    /// Size of its archive.
    pub archive_bytes: u64,
    /// Whether any host has it.
    pub placed: bool,
}

/// The built releases of a project, newest first.
pub async fn built(conn: &mut PgConnection, project: &ProjectName) -> StoreResult<Vec<StoredRelease>> {
    let rows = sqlx::query!(
        r#"SELECT release.id, release.label, COALESCE(release.built_at, release.created_at) AS "built_at!",
                  release.archive_bytes,
                  EXISTS (SELECT 1 FROM placement_release AS lying WHERE lying.release_id = release.id) AS "placed!",
                  EXISTS (SELECT 1 FROM release_mark WHERE release_id = release.id AND mark = 'pinned') AS "pinned!"
           FROM release JOIN project ON project.id = release.project_id
           WHERE project.name = $1 AND release.state = 'built' ORDER BY release.number DESC"#,
        project.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StoredRelease {
                candidate: Candidate {
                    id: ReleaseId(row.id),
                    built_at: row.built_at,
                    pinned: row.pinned.then(|| "pinned".to_owned()),
                },
                label: row
                    .label
                    .parse()
                    .map_err(|error| StoreError::inconsistent("release", row.id, error))?,
                archive_bytes: row
                    .archive_bytes
                    .and_then(|bytes| u64::try_from(bytes).ok())
                    .unwrap_or_default(),
                placed: row.placed,
            })
        })
        .collect()
}

/// Those that no host has, oldest first.
pub async fn unplaced(conn: &mut PgConnection, project: &ProjectName) -> StoreResult<Vec<StoredRelease>> {
    let mut built = built(conn, project).await?;
    built.retain(|release| !release.placed);
    built.reverse();
    Ok(built)
}

/// Gives a release up: it can be built again, under another number.
pub async fn prune(conn: &mut PgConnection, release: ReleaseId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE release SET state = 'pruned', pruned_at = now() WHERE id = $1 AND state = 'built'",
        release.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An object of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its kind, as the store names it.
    pub kind: String,
    /// Its digest.
    pub digest: Digest,
}

/// Marks objects that no release in use names, and that nobody touched since `before`, as not there: an upload of the
/// same bytes is taken again from now on.
pub async fn disown(conn: &mut PgConnection, before: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE stored_object AS object SET bytes = NULL
         WHERE touched_at < $1 AND bytes IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM release
                           WHERE release.state NOT IN ('pruned', 'failed', 'cancelled')
                             AND object.digest IN (release.manifest_digest, release.archive_digest,
                                                   release.packing_digest))",
        before,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks objects that are not there, or never were whole, and that nobody touched since `before`.
pub async fn lock_disowned(conn: &mut PgConnection, before: DateTime<Utc>) -> StoreResult<Vec<StoredObject>> {
    let rows = sqlx::query!(
        "SELECT kind, digest FROM stored_object WHERE touched_at < $1 AND bytes IS NULL
         ORDER BY touched_at LIMIT 1000 FOR UPDATE SKIP LOCKED",
        before,
    )
    .fetch_all(conn)
    .await?;
    let object = |kind: String, digest: Vec<u8>| {
        let digest = <[u8; 32]>::try_from(digest).ok().map(Digest::from_bytes)?;
        Some(StoredObject { kind, digest })
    };
    Ok(rows
        .into_iter()
        .filter_map(|row| object(row.kind, row.digest))
        .collect())
}

/// Forgets an object that was deleted.
pub async fn forget_object(conn: &mut PgConnection, object: &StoredObject) -> StoreResult<()> {
    sqlx::query!(
        "DELETE FROM stored_object WHERE kind = $1 AND digest = $2",
        object.kind,
        object.digest.as_bytes().as_slice(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
