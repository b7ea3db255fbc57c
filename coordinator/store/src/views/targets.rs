//! Targets with what is known of them on each host.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_domain::presence::{Pause, Presence, Rhythm};
use pointsman_shared::api::projects::{Placement, Target};
use pointsman_shared::ids::TargetId;
use pointsman_shared::name::TargetName;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::targets::when_busy;
use crate::{StoreError, StoreResult, push_pauses};

/// Targets by project and place in the order of promotion, after the one named; of these projects alone, where `sight`
/// names some.
pub async fn page(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
    after: Option<&TargetName>,
    limit: i64,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Target>> {
    let targets = select_targets(conn, None, sight, after, limit).await?;
    with_placements(conn, targets, rhythm).await
}

/// The target of this name.
pub async fn one(conn: &mut PgConnection, name: &TargetName, rhythm: &Rhythm) -> StoreResult<Option<Target>> {
    let targets = select_targets(conn, Some(name), None, None, 1).await?;
    Ok(with_placements(conn, targets, rhythm).await?.pop())
}

async fn select_targets(
    conn: &mut PgConnection,
    only: Option<&TargetName>,
    sight: Option<&[String]>,
    after: Option<&TargetName>,
    limit: i64,
) -> StoreResult<Vec<(Uuid, Target)>> {
    let rows = sqlx::query!(
        r#"SELECT target.id, project.name AS project, environment.name AS environment, root, labels, strategy, retention,
                gates, when_busy, on_push,
                release.label AS "desired?",
                (SELECT min(deployment.number) FROM deployment
                 WHERE deployment.target_id = target.id AND deployment.ended_at IS NULL
                   AND (deployment.started_at IS NOT NULL
                        OR COALESCE(deployment.scheduled_for <= now(), true))) AS open_deployment,
                EXISTS (SELECT 1 FROM deployment
                        WHERE deployment.target_id = target.id AND deployment.ended_at IS NULL
                          AND deployment.started_at IS NOT NULL AND deployment.paused IS NOT NULL
                          AND deployment.cancel IS NULL) AS "paused!"
         FROM target JOIN project ON project.id = target.project_id
                     JOIN environment ON environment.id = target.environment_id
                     LEFT JOIN release ON release.id = target.desired_release_id
         WHERE ($1::text IS NULL OR (project.name = $1 AND environment.name = $2))
           AND ($3::text IS NULL
                OR (project.name, environment.position, environment.name)
                   > ($3, (SELECT last.position FROM environment last WHERE last.name = $4), $4))
           AND ($6::text[] IS NULL OR project.name = ANY($6))
         ORDER BY project.name, environment.position, environment.name LIMIT $5"#,
        only.map(|name| name.project.to_string()),
        only.map(|name| name.environment.to_string()),
        after.map(|name| name.project.to_string()),
        after.map(|name| name.environment.to_string()),
        limit,
        sight,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |what: &dyn ToString| StoreError::inconsistent("target", row.id, what.to_string());
            let desired = row.desired.as_deref().map(str::parse).transpose();
            let target = Target {
                name: TargetName {
                    project: row.project.parse().map_err(|e| wrong(&e))?,
                    environment: row.environment.parse().map_err(|e| wrong(&e))?,
                },
                hosts: serde_json::from_value(row.labels).map_err(|e| wrong(&e))?,
                root: row.root.parse().map_err(|e| wrong(&e))?,
                strategy: serde_json::from_value(row.strategy).map_err(|e| wrong(&e))?,
                retention: serde_json::from_value(row.retention).map_err(|e| wrong(&e))?,
                gates: serde_json::from_value(row.gates).map_err(|e| wrong(&e))?,
                when_busy: when_busy(&row.when_busy).ok_or_else(|| wrong(&"when_busy is none of ours"))?,
                on_push: serde_json::from_value(row.on_push).map_err(|e| wrong(&e))?,
                push_pauses: Vec::new(),
                desired: desired.map_err(|e| wrong(&e))?,
                open_deployment: row.open_deployment,
                paused: row.paused,
                placements: Vec::new(),
            };
            Ok((row.id, target))
        })
        .collect()
}

async fn with_placements(
    conn: &mut PgConnection,
    targets: Vec<(Uuid, Target)>,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Target>> {
    let ids: Vec<Uuid> = targets.iter().map(|(id, _)| *id).collect();
    let now = crate::now(conn).await?;
    let mut placements: BTreeMap<Uuid, Vec<Placement>> = BTreeMap::new();
    for (target, placement) in select_placements(conn, &ids, now, rhythm).await? {
        placements.entry(target).or_default().push(placement);
    }
    let mut pauses = push_pauses::of_targets(conn, &ids).await?;
    Ok(targets
        .into_iter()
        .map(|(id, mut target)| {
            let held = pauses.remove(&TargetId(id)).unwrap_or_default();
            target.push_pauses = held.into_iter().map(|row| row.pause).collect();
            target.placements = placements.remove(&id).unwrap_or_default();
            target
        })
        .collect())
}

struct PlacementColumns {
    id: Uuid,
    target_id: Uuid,
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

async fn select_placements(
    conn: &mut PgConnection,
    targets: &[Uuid],
    now: DateTime<Utc>,
    rhythm: &Rhythm,
) -> StoreResult<Vec<(Uuid, Placement)>> {
    let rows = sqlx::query_as!(
        PlacementColumns,
        r#"SELECT placement.id, target_id, host_id, root, desired.label AS "desired?", attempted.label AS "attempted?",
                  confirmed.label AS "confirmed?", current_folder, generation, fence_generation,
                  CASE WHEN confirmed.id IS NULL THEN 'unknown' ELSE health END AS "health!",
                  COALESCE(drift, problem) AS drift, joined_at, revoked_at, paused_at, last_seen_at,
                  instance_id IS NOT NULL AS "has_instance!", working > 0 AS "working!",
                  stopped_at IS NOT NULL AS "stopped!"
           FROM placement JOIN host ON host.id = placement.host_id
                LEFT JOIN release desired ON desired.id = placement.desired_release_id
                LEFT JOIN release attempted ON attempted.id = placement.attempted_release_id
                LEFT JOIN release confirmed ON confirmed.id = placement.confirmed_release_id
                                           AND placement.root_trouble IS DISTINCT FROM 'unreadable'
           WHERE target_id = ANY($1) AND retired_at IS NULL ORDER BY host_id"#,
        targets,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.target_id, placement(row, now, rhythm)?)))
        .collect()
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
    let presence = Presence {
        joined_at: row.joined_at,
        revoked_at: row.revoked_at,
        paused: row.paused_at.map(Pause::since),
        last_seen_at: row.last_seen_at,
        has_instance: row.has_instance,
        working: row.working,
    };
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
