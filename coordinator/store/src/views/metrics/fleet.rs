//! Hosts, and targets with what lies on them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_domain::presence::{Absence, Rhythm};
use pointsman_domain::rollback::{GoodRelease, previous_good};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::ids::ReleaseId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::presence::presence_of;
use super::Place;
use crate::{StoreError, StoreResult};

/// A host as metrics know it.
#[derive(Debug, Clone, PartialEq)]
pub struct HostFacts {
    /// Its id.
    pub id: String,
    /// Environments it serves, each once.
    pub environments: Vec<String>,
    /// `seen`, `silent`, `paused`, `not_joined` or `never_heard`.
    pub state: &'static str,
    /// Seconds since it was last heard.
    pub last_seen_s: Option<f64>,
    /// Free bytes of its fullest root, as it last said.
    pub free_bytes: Option<u64>,
}

/// Every state a host can be in.
pub const HOST_STATES: [&str; 5] = ["seen", "silent", "paused", "not_joined", "never_heard"];

const fn state_of(absence: Option<&Absence>) -> &'static str {
    match absence {
        None => "seen",
        Some(Absence::Silent { .. }) => "silent",
        Some(Absence::Paused(_)) => "paused",
        Some(Absence::NotJoined) => "not_joined",
        Some(Absence::NeverHeard) => "never_heard",
    }
}

/// Every host whose key was not revoked.
pub async fn hosts(conn: &mut PgConnection, rhythm: &Rhythm) -> StoreResult<Vec<HostFacts>> {
    let now = crate::now(conn).await?;
    let rows = sqlx::query!(
        r#"SELECT id, joined_at, revoked_at, paused_at, last_seen_at, instance_id IS NOT NULL AS "has_instance!",
                  working > 0 AS "working!", free_bytes,
                  ARRAY(SELECT DISTINCT environment.name FROM placement
                            JOIN target ON target.id = placement.target_id
                            JOIN environment ON environment.id = target.environment_id
                        WHERE placement.host_id = host.id AND placement.retired_at IS NULL) AS "environments!"
           FROM host WHERE revoked_at IS NULL ORDER BY id"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let presence = presence_of!(row, row.working);
            HostFacts {
                id: row.id,
                environments: row.environments,
                state: state_of(presence.absence(now, rhythm).as_ref()),
                last_seen_s: row.last_seen_at.map(|at| seconds(now, at)),
                free_bytes: row.free_bytes.and_then(|bytes| u64::try_from(bytes).ok()),
            }
        })
        .collect())
}

fn seconds(now: DateTime<Utc>, at: DateTime<Utc>) -> f64 {
    (now - at).as_seconds_f64().max(0.0)
}

/// A target as metrics know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// Which.
    pub place: Place,
    /// Its hosts.
    pub hosts: u64,
    /// Those that are not where they were sent, or have a broken root.
    pub drifting: u64,
    /// Those on which the previous good release lies complete and may go live; none = there is no way back at all.
    pub ready_to_return: Option<u64>,
    /// Pre-migrations of what should be live that its ledger does not have applied.
    pub pending_pre: u64,
    /// The same of post-migrations.
    pub pending_post: u64,
}

struct Columns {
    id: Uuid,
    project: String,
    environment: String,
    desired: Option<Uuid>,
    hosts: i64,
    drifting: i64,
    pending_pre: i64,
    pending_post: i64,
}

/// Every target.
pub async fn targets(conn: &mut PgConnection) -> StoreResult<Vec<TargetFacts>> {
    let rows = sqlx::query_as!(
        Columns,
        r#"SELECT target.id, project.name AS project, environment.name AS environment,
                  target.desired_release_id AS desired,
                  (SELECT count(*) FROM placement WHERE target_id = target.id AND retired_at IS NULL) AS "hosts!",
                  (SELECT count(*) FROM placement WHERE target_id = target.id AND retired_at IS NULL
                       AND COALESCE(drift, problem) IS NOT NULL) AS "drifting!",
                  count(own.name) FILTER (WHERE own.phase = 'pre') AS "pending_pre!",
                  count(own.name) FILTER (WHERE own.phase = 'post') AS "pending_post!"
           FROM target JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
                LEFT JOIN release_migration AS own ON own.release_id = target.desired_release_id
                     AND NOT EXISTS (SELECT 1 FROM target_migration AS known
                                     WHERE known.target_id = target.id AND known.phase = own.phase
                                       AND known.name = own.name AND known.state = 'applied')
           GROUP BY target.id, project.name, environment.name ORDER BY project.name, environment.name"#,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ways_back = ways_back(conn, &rows).await?;
    Ok(rows
        .into_iter()
        .map(|row| TargetFacts {
            ready_to_return: ways_back.get(&row.id).copied(),
            place: Place {
                project: row.project,
                environment: row.environment,
            },
            hosts: row.hosts.unsigned_abs(),
            drifting: row.drifting.unsigned_abs(),
            pending_pre: row.pending_pre.unsigned_abs(),
            pending_post: row.pending_post.unsigned_abs(),
        })
        .collect())
}

/// Hosts that could return at once, by target; targets without a previous good release are left out.
async fn ways_back(conn: &mut PgConnection, targets: &[Columns]) -> StoreResult<BTreeMap<Uuid, u64>> {
    let good = good_releases(conn).await?;
    let previous: Vec<(Uuid, Uuid)> = targets
        .iter()
        .filter_map(|target| {
            let back = previous_good(target.desired.map(ReleaseId), good.get(&target.id)?)?;
            Some((target.id, back.id.0))
        })
        .collect();
    let (of_targets, releases): (Vec<_>, Vec<_>) = previous.into_iter().unzip();
    let rows = sqlx::query!(
        r#"SELECT back.target AS "target!",
                  (SELECT count(*) FROM placement
                       JOIN placement_release AS lying ON lying.placement_id = placement.id
                   WHERE placement.target_id = back.target AND placement.retired_at IS NULL
                     AND lying.release_id = back.release) AS "ready!",
                  EXISTS (SELECT 1 FROM target_migration AS applied
                          WHERE applied.target_id = back.target AND applied.phase = 'post'
                            AND applied.state IN ('applied', 'indeterminate')
                            AND NOT EXISTS (SELECT 1 FROM release_migration AS own
                                            WHERE own.release_id = back.release AND own.phase = 'post'
                                              AND own.name = applied.name))
                  OR EXISTS (SELECT 1 FROM release_migration AS own
                             WHERE own.release_id = back.release AND own.phase = 'pre'
                               AND NOT EXISTS (SELECT 1 FROM target_migration AS known
                                               WHERE known.target_id = back.target AND known.phase = 'pre'
                                                 AND known.name = own.name AND known.state = 'applied'))
                      AS "forbidden!"
           FROM unnest($1::uuid[], $2::uuid[]) AS back (target, release)"#,
        &of_targets,
        &releases,
    )
    .fetch_all(conn)
    .await?;
    let ready = |ready: i64, forbidden: bool| if forbidden { 0 } else { ready.unsigned_abs() };
    Ok(rows
        .into_iter()
        .map(|row| (row.target, ready(row.ready, row.forbidden)))
        .collect())
}

/// Where every target may go back to, as far as the bytes are still there.
async fn good_releases(conn: &mut PgConnection) -> StoreResult<BTreeMap<Uuid, Vec<GoodRelease>>> {
    let rows = sqlx::query!(
        "SELECT good.target_id, release.id, release.label, good.first_live_at, good.left_by_rollback_at
         FROM good_release AS good JOIN release ON release.id = good.release_id
         WHERE release.state = 'built'",
    )
    .fetch_all(conn)
    .await?;
    let mut good: BTreeMap<Uuid, Vec<GoodRelease>> = BTreeMap::new();
    for row in rows {
        let wrong = |error| StoreError::inconsistent("release", row.id, error);
        good.entry(row.target_id).or_default().push(GoodRelease {
            id: ReleaseId(row.id),
            label: row.label.parse().map_err(wrong)?,
            state: ReleaseState::Built,
            first_live_at: row.first_live_at,
            left_by_rollback: row.left_by_rollback_at.is_some(),
        });
    }
    Ok(good)
}
