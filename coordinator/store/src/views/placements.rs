//! Placements with what is known of each: beside their target, or by the host they lie on.

use chrono::{DateTime, Utc};
use pointsman_domain::presence::Rhythm;
use pointsman_shared::api::projects::Placement;
use pointsman_shared::ids::DeploymentId;
use pointsman_shared::name::{HostId, TargetName};
use sqlx::PgConnection;
use uuid::Uuid;

use super::presence::presence_of;
use crate::{StoreError, StoreResult, targets};

macro_rules! select {
    ($which:literal, $argument:expr) => {
        sqlx::query_as!(
            PlacementColumns,
            r#"SELECT placement.id, target_id, project.name || '@' || environment.name AS "target!", host_id,
                      placement.root,
                      (SELECT label FROM release WHERE release.id = placement.desired_release_id) AS desired,
                      (SELECT label FROM release WHERE release.id = placement.attempted_release_id) AS attempted,
                      (SELECT label FROM release WHERE release.id = placement.confirmed_release_id
                                                   AND root_trouble IS DISTINCT FROM 'unreadable') AS confirmed,
                      current_folder, generation, fence_generation,
                      CASE WHEN confirmed_release_id IS NOT NULL AND root_trouble IS DISTINCT FROM 'unreadable'
                           THEN health ELSE 'unknown' END AS "health!",
                      COALESCE(drift, problem) AS drift, joined_at, revoked_at, paused_at, last_seen_at,
                      instance_id IS NOT NULL AS "has_instance!", working > 0 AS "working!",
                      stopped_at IS NOT NULL AS "stopped!"
               FROM placement JOIN host ON host.id = placement.host_id
                    JOIN target ON target.id = placement.target_id
                    JOIN project ON project.id = target.project_id
                    JOIN environment ON environment.id = target.environment_id
               WHERE "#
                + $which
                + " AND retired_at IS NULL ORDER BY host_id, 3",
            $argument
        )
    };
}

/// What lies on these hosts, and for which target.
pub async fn on_hosts(
    conn: &mut PgConnection,
    hosts: &[String],
    rhythm: &Rhythm,
) -> StoreResult<Vec<(TargetName, Placement)>> {
    let now = crate::now(conn).await?;
    let rows = select!("host_id = ANY ($1)", hosts).fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| found(row, now, rhythm).map(|found| (found.target, found.placement)))
        .collect()
}

/// What lies on the hosts of a deployment's target now.
pub async fn of_deployment(
    conn: &mut PgConnection,
    id: DeploymentId,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Placement>> {
    let target = sqlx::query_scalar!("SELECT target_id FROM deployment WHERE id = $1", id.0);
    let target: Vec<Uuid> = target.fetch_all(&mut *conn).await?;
    let now = crate::now(conn).await?;
    let found = of_targets(conn, &target, now, rhythm).await?;
    Ok(found.into_iter().map(|found| found.placement).collect())
}

/// Numbers of the deployments under way that concern a host, by target.
pub async fn under_way(conn: &mut PgConnection, host: &HostId) -> StoreResult<Vec<(TargetName, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT project.name || '@' || environment.name AS "target!", deployment.number
           FROM placement JOIN deployment ON deployment.target_id = placement.target_id
                JOIN target ON target.id = placement.target_id
                JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
           WHERE placement.host_id = $1 AND placement.retired_at IS NULL
             AND deployment.started_at IS NOT NULL AND deployment.ended_at IS NULL"#,
        host.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok((targets::read_name(&row.target)?, row.number)))
        .collect()
}

/// A placement, and whose it is.
pub(super) struct Found {
    pub(super) target_id: Uuid,
    target: TargetName,
    pub(super) placement: Placement,
}

struct PlacementColumns {
    id: Uuid,
    target_id: Uuid,
    target: String,
    host_id: String,
    root: String,
    desired: Option<String>,
    attempted: Option<String>,
    confirmed: Option<String>,
    current_folder: Option<String>,
    generation: i64,
    fence_generation: Option<i64>,
    health: String,
    drift: Option<String>,
    joined_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    paused_at: Option<DateTime<Utc>>,
    last_seen_at: Option<DateTime<Utc>>,
    has_instance: bool,
    working: bool,
    stopped: bool,
}

/// Those of these targets.
pub(super) async fn of_targets(
    conn: &mut PgConnection,
    targets: &[Uuid],
    now: DateTime<Utc>,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Found>> {
    let rows = select!("target_id = ANY ($1)", targets).fetch_all(conn).await?;
    rows.into_iter().map(|row| found(row, now, rhythm)).collect()
}

fn found(row: PlacementColumns, now: DateTime<Utc>, rhythm: &Rhythm) -> StoreResult<Found> {
    Ok(Found {
        target_id: row.target_id,
        target: targets::read_name(&row.target)?,
        placement: placement(row, now, rhythm)?,
    })
}

fn placement(row: PlacementColumns, now: DateTime<Utc>, rhythm: &Rhythm) -> StoreResult<Placement> {
    let id = row.id;
    let wrong = |what: &dyn ToString| StoreError::inconsistent("placement", id, what.to_string());
    let label = |label: Option<String>| {
        label
            .map(|label| label.parse())
            .transpose()
            .map_err(|e: pointsman_shared::name::InvalidName| wrong(&e))
    };
    let presence = presence_of!(row, row.working);
    Ok(Placement {
        host: row.host_id.parse().map_err(|e| wrong(&e))?,
        root: row.root.parse().map_err(|e| wrong(&e))?,
        desired: label(row.desired)?,
        attempted: label(row.attempted)?,
        confirmed: label(row.confirmed)?,
        current: row
            .current_folder
            .map(|folder| folder.parse())
            .transpose()
            .map_err(|e| wrong(&e))?,
        generation: u64::try_from(row.generation).map_err(|e| wrong(&e))?,
        fence_generation: row
            .fence_generation
            .map(u64::try_from)
            .transpose()
            .map_err(|e| wrong(&e))?,
        health: row.health,
        drift: row.drift,
        seen: presence.absence(now, rhythm).is_none(),
        late: presence.late(now, rhythm).is_some(),
        stopped: row.stopped,
        last_seen_at: row.last_seen_at,
    })
}
