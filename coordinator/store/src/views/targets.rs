//! Targets with what is known of them on each host.

use std::collections::BTreeMap;

use pointsman_domain::presence::Rhythm;
use pointsman_shared::api::projects::{Placement, Target};
use pointsman_shared::ids::TargetId;
use pointsman_shared::name::{HostId, TargetName};
use sqlx::PgConnection;
use uuid::Uuid;

use super::placements;
use crate::targets::when_busy;
use crate::{StoreError, StoreResult, push_pauses};

/// Which targets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Only those after this one, by project and place in the order of promotion.
    pub after: Option<&'a TargetName>,
    /// Only those of these projects.
    pub projects: Option<&'a [String]>,
    /// Only those that are placed on this host.
    pub host: Option<&'a HostId>,
}

impl<'a> Wanted<'a> {
    /// Those of these projects.
    pub fn of_projects(projects: &'a [String]) -> Self {
        Self {
            projects: Some(projects),
            ..Self::default()
        }
    }
}

/// Targets by project and place in the order of promotion.
pub async fn page(
    conn: &mut PgConnection,
    wanted: Wanted<'_>,
    limit: i64,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Target>> {
    let targets = select_targets(conn, None, wanted, limit).await?;
    with_placements(conn, targets, rhythm).await
}

/// The target of this name.
pub async fn one(conn: &mut PgConnection, name: &TargetName, rhythm: &Rhythm) -> StoreResult<Option<Target>> {
    let targets = select_targets(conn, Some(name), Wanted::default(), 1).await?;
    Ok(with_placements(conn, targets, rhythm).await?.pop())
}

/// Names that hold this text; of these projects alone, where `sight` names some.
pub async fn holding(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
    text: &str,
    limit: i64,
) -> StoreResult<Vec<String>> {
    let names = sqlx::query_scalar!(
        r#"SELECT project.name || '@' || environment.name AS "name!"
           FROM target JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
           WHERE position($1 IN project.name || '@' || environment.name) > 0
             AND ($3::text[] IS NULL OR project.name = ANY ($3))
           ORDER BY project.name, environment.position LIMIT $2"#,
        text,
        limit,
        sight,
    );
    Ok(names.fetch_all(conn).await?)
}

/// How many there are; of these projects alone, where `sight` names some.
pub async fn count(conn: &mut PgConnection, sight: Option<&[String]>) -> StoreResult<i64> {
    let Some(projects) = sight else {
        let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM target"#);
        return Ok(count.fetch_one(conn).await?);
    };
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM target JOIN project ON project.id = target.project_id
           WHERE project.name = ANY ($1)"#,
        projects,
    );
    Ok(count.fetch_one(conn).await?)
}

struct TargetColumns {
    id: Uuid,
    project: String,
    environment: String,
    root: String,
    labels: serde_json::Value,
    strategy: serde_json::Value,
    retention: serde_json::Value,
    gates: serde_json::Value,
    when_busy: String,
    on_push: serde_json::Value,
    desired: Option<String>,
    open_deployment: Option<i64>,
    paused: bool,
}

async fn select_targets(
    conn: &mut PgConnection,
    only: Option<&TargetName>,
    wanted: Wanted<'_>,
    limit: i64,
) -> StoreResult<Vec<(Uuid, Target)>> {
    let rows = sqlx::query_as!(
        TargetColumns,
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
           AND ($5::text[] IS NULL OR project.name = ANY ($5))
           AND ($6::text IS NULL OR target.id IN (SELECT target_id FROM placement
                                                  WHERE host_id = $6 AND retired_at IS NULL))
         ORDER BY project.name, environment.position, environment.name LIMIT $7"#,
        only.map(|name| name.project.to_string()),
        only.map(|name| name.environment.to_string()),
        wanted.after.map(|name| name.project.to_string()),
        wanted.after.map(|name| name.environment.to_string()),
        wanted.projects,
        wanted.host.map(HostId::as_str),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(target).collect()
}

fn target(row: TargetColumns) -> StoreResult<(Uuid, Target)> {
    let wrong = |what: &dyn ToString| StoreError::inconsistent("target", row.id, what.to_string());
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
        desired: row
            .desired
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|e| wrong(&e))?,
        open_deployment: row.open_deployment,
        paused: row.paused,
        placements: Vec::new(),
    };
    Ok((row.id, target))
}

async fn with_placements(
    conn: &mut PgConnection,
    targets: Vec<(Uuid, Target)>,
    rhythm: &Rhythm,
) -> StoreResult<Vec<Target>> {
    let ids: Vec<Uuid> = targets.iter().map(|(id, _)| *id).collect();
    let now = crate::now(conn).await?;
    let mut placements: BTreeMap<Uuid, Vec<Placement>> = BTreeMap::new();
    for found in placements::of_targets(conn, &ids, now, rhythm).await? {
        placements
            .entry(found.target_id)
            .or_default()
            .push(found.placement);
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
