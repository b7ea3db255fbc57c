//! What a host's state report writes about a placement.

use chrono::{DateTime, Utc};
use pointsman_domain::placement::Reading;
use pointsman_shared::ids::PlacementId;
use pointsman_shared::wire::from_agent::{PlacementState, SlotState};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A report and how it was read.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The report.
    pub state: &'a PlacementState,
    /// Its slot.
    pub slot: &'a SlotState,
    /// What it means.
    pub reading: &'a Reading,
    /// Whether its problem stands in the way of work.
    pub unusable: bool,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// Stores a report, whole: its pages were put together before.
pub async fn store_report(conn: &mut PgConnection, report: &Report<'_>) -> StoreResult<()> {
    let (state, slot, reading) = (report.state, report.slot, report.reading);
    let current = slot.current.as_ref().map(AsRef::<str>::as_ref);
    let generation = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    sqlx::query!(
        "UPDATE placement SET generation = $2, fence_generation = $3, drift = $4, problem = $5, state_at = $6,
             in_doubt = false, root_trouble = CASE WHEN $8 THEN 'unusable' END,
             health = CASE WHEN current_folder IS DISTINCT FROM $7 THEN 'unknown' ELSE health END,
             current_folder = $7,
             confirmed_release_id = (SELECT release.id FROM release JOIN target ON target.project_id = release.project_id
                                     WHERE target.id = placement.target_id AND release.folder = $7)
         WHERE id = $1",
        state.placement.0,
        generation(reading.generation.0),
        reading.fence.map(|fence| generation(fence.0)),
        reading.drift,
        state.problem,
        report.at,
        current,
        report.unusable,
    )
    .execute(&mut *conn)
    .await?;
    let fence = serde_json::to_value(&slot.fence)
        .map_err(|error| StoreError::inconsistent("placement", state.placement, error))?;
    sqlx::query!(
        "INSERT INTO placement_slot (placement_id, slot, folder, foreign_link, fence, reported_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (placement_id, slot)
         DO UPDATE SET folder = $3, foreign_link = $4, fence = $5, reported_at = $6",
        state.placement.0,
        slot.slot.as_str(),
        current,
        slot.foreign,
        fence,
        report.at,
    )
    .execute(&mut *conn)
    .await?;
    store_releases(conn, state, report.at).await
}

/// Stores that nothing of a root could be read, and why. What was known of it before stays known: it is what the next
/// report is compared with.
pub async fn store_unreadable(
    conn: &mut PgConnection,
    id: PlacementId,
    problem: &str,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE placement SET problem = $2, root_trouble = 'unreadable', state_at = $3, in_doubt = false WHERE id = $1",
        id.0,
        problem,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn store_releases(
    conn: &mut PgConnection,
    state: &PlacementState,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "DELETE FROM placement_release WHERE placement_id = $1",
        state.placement.0
    )
    .execute(&mut *conn)
    .await?;
    let folders: Vec<_> = state.releases.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "INSERT INTO placement_release (placement_id, folder, release_id, confirmed_at)
         SELECT $1, listed.folder, release.id, $3
         FROM unnest($2::text[]) AS listed (folder)
              JOIN placement ON placement.id = $1
              JOIN target ON target.id = placement.target_id
              LEFT JOIN release ON release.project_id = target.project_id AND release.folder = listed.folder
         ON CONFLICT (placement_id, folder) DO UPDATE SET release_id = EXCLUDED.release_id, confirmed_at = $3",
        state.placement.0,
        &folders,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The text of a placement's link when it last named no release.
pub async fn slot_foreign(conn: &mut PgConnection, id: PlacementId) -> StoreResult<Option<String>> {
    let foreign = sqlx::query_scalar!(
        "SELECT foreign_link FROM placement_slot WHERE placement_id = $1 AND slot = 'current'",
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(foreign.flatten())
}

/// Whether a switch of the placement ended after its host's last hello: a report of that hello may be older than it.
pub async fn switched_since_hello(conn: &mut PgConnection, id: PlacementId) -> StoreResult<bool> {
    let switched = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT 1 FROM job JOIN host ON host.id = job.host_id
               WHERE job.placement_id = $1 AND job.kind IN ('activate', 'rollback') AND job.ended_at > host.hello_at
           ) AS "switched!""#,
        id.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(switched)
}
