//! What decisions and results write about a placement.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::{Generation, PlacementId, ReleaseId, TargetId};
use pointsman_shared::name::{HostId, ReleaseFolder, RootPath};
use sqlx::PgConnection;

use super::generation;
use crate::StoreResult;

/// Inserts a placement whose root is the target's, with `${HOST}` read as this host; the schema refuses a root that
/// another target has on the host.
pub async fn insert(
    conn: &mut PgConnection,
    id: PlacementId,
    target: TargetId,
    host: &HostId,
    root: &RootPath,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    let root = root.on_host(host);
    sqlx::query!(
        "INSERT INTO placement (id, target_id, host_id, root, desired_release_id, created_at)
         SELECT $1, $2, $3, $4, desired_release_id, $5 FROM target WHERE id = $2",
        id.0,
        target.0,
        host.as_str(),
        root.as_str(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the placement back that this host had in this root; none when it never had one.
pub async fn revive(
    conn: &mut PgConnection,
    target: TargetId,
    host: &HostId,
    root: &RootPath,
) -> StoreResult<Option<PlacementId>> {
    let root = root.on_host(host);
    let id = sqlx::query_scalar!(
        "UPDATE placement SET retired_at = NULL,
                desired_release_id = (SELECT desired_release_id FROM target WHERE id = $1)
         WHERE id = (SELECT id FROM placement WHERE target_id = $1 AND host_id = $2 AND root = $3
                     ORDER BY created_at DESC LIMIT 1)
         RETURNING id",
        target.0,
        host.as_str(),
        root.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(PlacementId))
}

/// The host no longer belongs to the target; what lies on it stays.
pub async fn retire(conn: &mut PgConnection, id: PlacementId, at: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE placement SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL",
        id.0,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The number of the next decision to switch a placement: above every earlier one and above the host's own fence.
pub async fn allocate_generation(conn: &mut PgConnection, id: PlacementId) -> StoreResult<Generation> {
    let value = sqlx::query_scalar!(
        r#"UPDATE placement SET generation = GREATEST(generation, COALESCE(fence_generation, 0)) + 1
           WHERE id = $1 RETURNING generation AS "generation!""#,
        id.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(generation(value))
}

/// A switch to this release was granted.
pub async fn set_attempted(conn: &mut PgConnection, id: PlacementId, release: ReleaseId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE placement SET attempted_release_id = $2 WHERE id = $1",
        id.0,
        release.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What should be live on every placement of a target.
pub async fn set_desired(conn: &mut PgConnection, target: TargetId, release: ReleaseId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE placement SET desired_release_id = $2 WHERE target_id = $1 AND retired_at IS NULL",
        target.0,
        release.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a switch made of a placement, read back by the host.
#[derive(Debug, Clone, Copy)]
pub struct Confirmed<'a> {
    /// The placement.
    pub placement: PlacementId,
    /// The release that is live.
    pub release: ReleaseId,
    /// Its folder.
    pub folder: &'a ReleaseFolder,
    /// The decision that the host's fence now names.
    pub generation: Generation,
    /// Whether its health check passed.
    pub healthy: bool,
}

/// A switch is complete on the host; what differed before is settled by it.
pub async fn confirm(
    conn: &mut PgConnection,
    confirmed: &Confirmed<'_>,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE placement SET confirmed_release_id = $2, current_folder = $3, fence_generation = $4,
                health = CASE WHEN $5 THEN 'healthy' ELSE 'unhealthy' END, drift = NULL, state_at = $6
         WHERE id = $1",
        confirmed.placement.0,
        confirmed.release.0,
        confirmed.folder.as_str(),
        i64::try_from(confirmed.generation.0).unwrap_or(i64::MAX),
        confirmed.healthy,
        at,
    )
    .execute(&mut *conn)
    .await?;
    note_installed(conn, confirmed.placement, confirmed.folder, confirmed.release, at).await
}

/// Nobody knows what is live until the host speaks. How healthy it was stays: it counts again where the host says that
/// nothing changed, and no longer than until then where something did.
pub async fn forget(conn: &mut PgConnection, id: PlacementId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE placement SET confirmed_release_id = NULL WHERE id = $1",
        id.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A release lies complete on a placement.
pub async fn note_installed(
    conn: &mut PgConnection,
    id: PlacementId,
    folder: &ReleaseFolder,
    release: ReleaseId,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO placement_release (placement_id, folder, release_id, confirmed_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (placement_id, folder) DO UPDATE SET release_id = $3, confirmed_at = $4",
        id.0,
        folder.as_str(),
        release.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what differs from what was decided; none = nothing, or a person decided anew.
pub async fn set_drift(conn: &mut PgConnection, id: PlacementId, drift: Option<&str>) -> StoreResult<()> {
    sqlx::query!("UPDATE placement SET drift = $2 WHERE id = $1", id.0, drift)
        .execute(conn)
        .await?;
    Ok(())
}

/// What its host last told of a placement may be outdated: the host is asked again, by the answer to its next beat.
/// Takes no lock of the host's row, so whoever holds a job's lock may say it.
pub async fn doubt(conn: &mut PgConnection, id: PlacementId) -> StoreResult<()> {
    sqlx::query!("UPDATE placement SET in_doubt = true WHERE id = $1", id.0)
        .execute(conn)
        .await?;
    Ok(())
}
