//! Targets on hosts: what should be there, what was tried, what the host says. Three facts, never mixed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::{Generation, PlacementId, ReleaseId, TargetId};
use pointsman_shared::name::{HostId, ReleaseFolder, RootPath};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

mod change;
mod report;

pub use change::{
    Confirmed, allocate_generation, confirm, doubt, forget, insert, note_installed, retire, revive,
    set_attempted, set_desired, set_drift,
};
pub use report::{Report, slot_foreign, store_report, store_unreadable, switched_since_hello};

/// A placement as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementRow {
    /// Its id.
    pub id: PlacementId,
    /// Its target.
    pub target: TargetId,
    /// Its host.
    pub host: HostId,
    /// Its root.
    pub root: RootPath,
    /// Of the newest decision.
    pub generation: Generation,
    /// The host last reported; none = no fence known.
    pub fence: Option<Generation>,
    /// What should be live.
    pub desired: Option<ReleaseId>,
    /// What was last tried.
    pub attempted: Option<ReleaseId>,
    /// What was read back.
    pub confirmed: Option<ReleaseId>,
    /// The folder read back.
    pub current: Option<ReleaseFolder>,
    /// What differs from what was decided.
    pub drift: Option<String>,
    /// Whether its root cannot be worked in, by the last report.
    pub unusable: bool,
    /// When the host last reported its state.
    pub state_at: Option<DateTime<Utc>>,
}

struct Columns {
    id: uuid::Uuid,
    target_id: uuid::Uuid,
    host_id: String,
    root: String,
    generation: i64,
    fence_generation: Option<i64>,
    desired_release_id: Option<uuid::Uuid>,
    attempted_release_id: Option<uuid::Uuid>,
    confirmed_release_id: Option<uuid::Uuid>,
    current_folder: Option<String>,
    drift: Option<String>,
    unusable: bool,
    state_at: Option<DateTime<Utc>>,
}

macro_rules! select_placements {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Columns,
            r#"SELECT id, target_id, host_id, root, generation, fence_generation, desired_release_id,
                      attempted_release_id, confirmed_release_id, current_folder, drift,
                      root_trouble IS NOT NULL AS "unusable!", state_at
               FROM placement "# + $tail
            $(, $argument)*
        )
    };
}

pub(crate) fn generation(value: i64) -> Generation {
    Generation(u64::try_from(value).unwrap_or_default())
}

impl TryFrom<Columns> for PlacementRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let id = row.id;
        let wrong = |what: &dyn ToString| StoreError::inconsistent("placement", id, what.to_string());
        Ok(Self {
            id: PlacementId(row.id),
            target: TargetId(row.target_id),
            host: row.host_id.parse().map_err(|e| wrong(&e))?,
            root: row.root.parse().map_err(|e| wrong(&e))?,
            generation: generation(row.generation),
            fence: row.fence_generation.map(generation),
            desired: row.desired_release_id.map(ReleaseId),
            attempted: row.attempted_release_id.map(ReleaseId),
            confirmed: row.confirmed_release_id.map(ReleaseId),
            current: row
                .current_folder
                .map(|folder| folder.parse())
                .transpose()
                .map_err(|e| wrong(&e))?,
            drift: row.drift,
            unusable: row.unusable,
            state_at: row.state_at,
        })
    }
}

fn rows(rows: Vec<Columns>) -> StoreResult<Vec<PlacementRow>> {
    rows.into_iter().map(PlacementRow::try_from).collect()
}

/// The placement with this id, retired or not.
pub async fn get(conn: &mut PgConnection, id: PlacementId) -> StoreResult<Option<PlacementRow>> {
    let row = select_placements!("WHERE id = $1", id.0)
        .fetch_optional(conn)
        .await?;
    row.map(PlacementRow::try_from).transpose()
}

/// Locks a placement of a host until the transaction ends; retired ones are not found.
pub async fn lock_on(
    conn: &mut PgConnection,
    id: PlacementId,
    host: &HostId,
) -> StoreResult<Option<PlacementRow>> {
    let row = select_placements!(
        "WHERE id = $1 AND host_id = $2 AND retired_at IS NULL FOR NO KEY UPDATE",
        id.0,
        host.as_str()
    )
    .fetch_optional(conn)
    .await?;
    row.map(PlacementRow::try_from).transpose()
}

/// Every placement of a target that is not retired, by host.
pub async fn of_target(conn: &mut PgConnection, target: TargetId) -> StoreResult<Vec<PlacementRow>> {
    rows(
        select_placements!(
            "WHERE target_id = $1 AND retired_at IS NULL ORDER BY host_id",
            target.0
        )
        .fetch_all(conn)
        .await?,
    )
}

/// Every placement on a host that is not retired, by root.
pub async fn of_host(conn: &mut PgConnection, host: &HostId) -> StoreResult<Vec<PlacementRow>> {
    rows(
        select_placements!(
            "WHERE host_id = $1 AND retired_at IS NULL ORDER BY root",
            host.as_str()
        )
        .fetch_all(conn)
        .await?,
    )
}

/// Joined hosts that have all these labels and take switches, by id.
pub async fn matching_hosts(
    conn: &mut PgConnection,
    labels: &BTreeMap<String, String>,
) -> StoreResult<Vec<HostId>> {
    let labels =
        serde_json::to_value(labels).map_err(|error| StoreError::inconsistent("target", "labels", error))?;
    let ids = sqlx::query_scalar!(
        "SELECT id FROM host
         WHERE joined_at IS NOT NULL AND revoked_at IS NULL AND labels @> $1 AND 'activate' = ANY (kinds)
         ORDER BY id",
        labels,
    )
    .fetch_all(conn)
    .await?;
    ids.into_iter()
        .map(|id| {
            id.parse()
                .map_err(|error| StoreError::inconsistent("host", &id, error))
        })
        .collect()
}

/// The target that has `root` on `host`, as `project@environment`.
pub async fn holder_of_root(
    conn: &mut PgConnection,
    host: &HostId,
    root: &RootPath,
) -> StoreResult<Option<(TargetId, String)>> {
    let row = sqlx::query!(
        r#"SELECT target.id, project.name || '@' || environment.name AS "name!"
           FROM placement JOIN target ON target.id = placement.target_id
                          JOIN project ON project.id = target.project_id
                          JOIN environment ON environment.id = target.environment_id
           WHERE placement.host_id = $1 AND placement.root = $2 AND placement.retired_at IS NULL"#,
        host.as_str(),
        root.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (TargetId(row.id), row.name)))
}

/// Whether a release lies complete on a placement.
pub async fn has_release(conn: &mut PgConnection, id: PlacementId, release: ReleaseId) -> StoreResult<bool> {
    let has = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM placement_release WHERE placement_id = $1 AND release_id = $2) AS "has!""#,
        id.0,
        release.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(has)
}

/// On how many hosts of a target a release lies.
pub async fn holding(conn: &mut PgConnection, target: TargetId, release: ReleaseId) -> StoreResult<usize> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM placement_release JOIN placement ON placement.id = placement_id
           WHERE target_id = $1 AND release_id = $2 AND retired_at IS NULL"#,
        target.0,
        release.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Whether what a host last told of any of its placements may be outdated.
pub async fn any_in_doubt(conn: &mut PgConnection, host: &HostId) -> StoreResult<bool> {
    let any = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM placement WHERE host_id = $1 AND in_doubt AND retired_at IS NULL) AS "any!""#,
        host.as_str(),
    )
    .fetch_one(conn)
    .await?;
    Ok(any)
}

/// How the newest job that brought a release to a placement, or switched it there, stands.
pub async fn newest_try(
    conn: &mut PgConnection,
    id: PlacementId,
    release: ReleaseId,
) -> StoreResult<Option<JobState>> {
    let state = sqlx::query_scalar!(
        "SELECT state FROM job
         WHERE placement_id = $1 AND release_id = $2 AND kind IN ('install', 'activate', 'rollback')
         ORDER BY number DESC LIMIT 1",
        id.0,
        release.0,
    )
    .fetch_optional(conn)
    .await?;
    let state = state
        .map(|state| serde_json::from_value(serde_json::Value::String(state)))
        .transpose();
    state.map_err(|error| StoreError::inconsistent("placement", id, error))
}
