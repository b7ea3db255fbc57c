//! Everything that decides what happens next, gathered for one deployment or for a page of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use pointsman_domain::deployment::{
    CancelDecision, DeploymentKind, DeploymentOutcome, Ended, Facts, HostFacts, JobFacts, MigrationFacts,
    ReleaseFacts, ReleaseRef,
};
use pointsman_domain::job::Purpose;
use pointsman_shared::ids::{DeploymentId, JobId, PlacementId, ReleaseId, TargetId};
use pointsman_shared::outcome::JobKind;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use uuid::Uuid;

use super::wrong;
use crate::releases::state_named;
use crate::{StoreError, StoreResult, locks};

/// The facts of one deployment.
pub async fn facts(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<Option<Facts>> {
    Ok(facts_of(conn, &[id]).await?.pop())
}

/// The facts of several deployments, newest first; three queries however many there are, and one for each that waits.
pub async fn facts_of(conn: &mut PgConnection, ids: &[DeploymentId]) -> StoreResult<Vec<Facts>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut all = read_deployments(conn, &ids).await?;
    let mut hosts = read_hosts(conn, &ids).await?;
    let mut jobs = read_jobs(conn, &ids).await?;
    let now = crate::now(conn).await?;
    for (target, facts) in &mut all {
        if facts.started_at.is_none() && facts.ended.is_none() {
            facts.locked = locked(conn, *target, facts.kind, now).await?;
        }
        facts.hosts = hosts.remove(&facts.id.0).unwrap_or_default();
        let jobs = jobs.remove(&facts.id.0).unwrap_or_default();
        let is_migration = |job: &JobFacts| job.kind == JobKind::Migrate;
        (facts.migrations.jobs, facts.jobs) = jobs.into_iter().partition(is_migration);
    }
    Ok(all.into_iter().map(|(_, facts)| facts).collect())
}

/// Why a target starts nothing right now. The stop lets rollbacks pass.
async fn locked(
    conn: &mut PgConnection,
    target: TargetId,
    kind: DeploymentKind,
    now: DateTime<Utc>,
) -> StoreResult<Option<String>> {
    let held = locks::held_lock(conn, target, now).await?;
    let holds = |lock: &locks::Holding| !(lock.global && kind == DeploymentKind::Rollback);
    Ok(held.filter(holds).map(|lock| {
        let what = if lock.global {
            "everything is stopped"
        } else {
            "locked"
        };
        format!("{what} by {}: {}", lock.owner, lock.reason)
    }))
}

fn json<T: DeserializeOwned>(id: Uuid, value: Option<serde_json::Value>) -> StoreResult<Option<T>> {
    value
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| wrong(DeploymentId(id), error))
}

struct Columns {
    id: Uuid,
    target_id: Uuid,
    number: i64,
    kind: String,
    strategy: serde_json::Value,
    held_until: Option<DateTime<Utc>>,
    scheduled_for: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    paused: Option<serde_json::Value>,
    pause_wish: Option<serde_json::Value>,
    failures_forgiven: i32,
    rollback: Option<serde_json::Value>,
    cancel: Option<serde_json::Value>,
    outcome: Option<String>,
    outcome_detail: Option<String>,
    ended_at: Option<DateTime<Utc>>,
    release_id: Uuid,
    label: String,
    state: String,
    failure: Option<String>,
    from_id: Option<Uuid>,
    from_label: Option<String>,
    behind: Option<i64>,
    newer: Option<i64>,
    has_pre: bool,
    migration_host: Option<String>,
    migration_tries: i32,
    forbidding: Vec<String>,
}

async fn read_deployments(conn: &mut PgConnection, ids: &[Uuid]) -> StoreResult<Vec<(TargetId, Facts)>> {
    let rows = sqlx::query_as!(
        Columns,
        r#"SELECT d.id, d.target_id, d.number, d.kind, d.strategy, d.held_until, d.scheduled_for, d.expires_at,
                  d.started_at, d.paused, d.pause_wish, d.failures_forgiven, d.rollback, d.cancel, d.outcome, d.outcome_detail, d.ended_at,
                  release.id AS release_id, release.label, release.state, release.failure,
                  origin.id AS "from_id?", origin.label AS "from_label?",
                  (SELECT max(number) FROM deployment AS other
                   WHERE other.target_id = d.target_id AND other.id <> d.id AND d.started_at IS NULL
                     AND other.started_at IS NOT NULL AND other.ended_at IS NULL) AS behind,
                  (SELECT max(number) FROM deployment AS other
                   WHERE other.target_id = d.target_id AND other.id <> d.id AND d.started_at IS NOT NULL
                     AND other.started_at IS NULL AND other.ended_at IS NULL AND other.cancel IS NULL
                     AND COALESCE(GREATEST(other.scheduled_for, other.held_until) <= now(), true)) AS newer,
                  release.recipe->'migrations'->>'pre' IS NOT NULL AND d.kind = 'deploy' AS "has_pre!",
                  target.migration_host, d.migration_tries,
                  ARRAY(SELECT applied.name FROM target_migration AS applied
                        WHERE applied.target_id = target.id AND applied.phase = 'post'
                          AND applied.state IN ('applied', 'indeterminate')
                          AND NOT EXISTS (SELECT 1 FROM release_migration AS own
                                          WHERE own.release_id = origin.id AND own.phase = 'post'
                                            AND own.name = applied.name)
                        ORDER BY applied.name) AS "forbidding!"
           FROM deployment AS d
                JOIN release ON release.id = d.release_id
                JOIN target ON target.id = d.target_id
                LEFT JOIN good_release AS good ON good.target_id = target.id
                                              AND good.release_id = target.desired_release_id
                LEFT JOIN release AS origin
                       ON origin.id = CASE WHEN d.started_at IS NULL THEN good.release_id ELSE d.from_release_id END
                      AND (d.started_at IS NOT NULL OR origin.state = 'built')
           WHERE d.id = ANY ($1) ORDER BY d.number DESC"#,
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok((TargetId(row.target_id), Facts::try_from(row)?)))
        .collect()
}

impl TryFrom<Columns> for Facts {
    type Error = StoreError;

    fn try_from(row: Columns) -> StoreResult<Self> {
        let wrong = |what: &dyn ToString| wrong(DeploymentId(row.id), what.to_string());
        let from = match (row.from_id, row.from_label) {
            (Some(id), Some(label)) => Some(ReleaseRef {
                id: ReleaseId(id),
                label: label.parse().map_err(|e| wrong(&e))?,
            }),
            _ => None,
        };
        Ok(Self {
            id: DeploymentId(row.id),
            number: row.number,
            kind: if row.kind == "rollback" {
                DeploymentKind::Rollback
            } else {
                DeploymentKind::Deploy
            },
            release: ReleaseFacts {
                id: ReleaseId(row.release_id),
                label: row.label.parse().map_err(|e| wrong(&e))?,
                state: state_named(&row.state).ok_or_else(|| wrong(&"its release has an unknown state"))?,
                failure: row.failure,
            },
            strategy: serde_json::from_value(row.strategy).map_err(|e| wrong(&e))?,
            held_until: row.held_until,
            scheduled_for: row.scheduled_for,
            expires_at: row.expires_at,
            locked: None,
            started_at: row.started_at,
            from,
            paused: json(row.id, row.paused)?,
            pause_wish: json(row.id, row.pause_wish)?,
            failures_forgiven: u32::try_from(row.failures_forgiven).unwrap_or_default(),
            rollback: json(row.id, row.rollback)?,
            cancel: json(row.id, row.cancel)?,
            ended: ended(row.outcome.as_deref(), row.outcome_detail, row.ended_at)
                .ok_or_else(|| wrong(&"its outcome is unknown"))?,
            behind: row.behind,
            newer: row.newer,
            hosts: Vec::new(),
            jobs: Vec::new(),
            migrations: MigrationFacts {
                pre: row.has_pre,
                host: row
                    .migration_host
                    .map(|host| host.parse())
                    .transpose()
                    .map_err(|e| wrong(&e))?,
                tries: u32::try_from(row.migration_tries).unwrap_or(1),
                jobs: Vec::new(),
                forbidding: row.forbidding,
            },
        })
    }
}

/// Outer none = an outcome that nobody wrote.
#[expect(
    clippy::option_option,
    reason = "inner none is an open deployment, outer none an impossible row"
)]
/// How a deployment ended, if it did; none where its outcome is none of ours.
pub(crate) fn ended(
    outcome: Option<&str>,
    detail: Option<String>,
    at: Option<DateTime<Utc>>,
) -> Option<Option<Ended>> {
    let (Some(name), Some(at)) = (outcome, at) else {
        return Some(None);
    };
    let outcome = DeploymentOutcome::ALL
        .into_iter()
        .find(|outcome| outcome.as_str() == name)?;
    Some(Some(Ended { outcome, detail, at }))
}

/// Frozen hosts of started deployments; of the others, the hosts they would have.
async fn read_hosts(conn: &mut PgConnection, ids: &[Uuid]) -> StoreResult<HashMap<Uuid, Vec<HostFacts>>> {
    let rows = sqlx::query!(
        r#"SELECT d.id AS deployment, placement.id, placement.host_id, frozen.wave AS "wave!",
                  frozen.deferred AS "deferred?", frozen.skipped AS "skipped?", frozen.retried AS "retried!",
                  frozen.accepted AS "accepted!",
                  CASE WHEN placement.root_trouble IS NULL THEN placement.drift ELSE placement.problem END AS drift,
                  placement.root_trouble IS NULL AS "usable!", placement.health <> 'unhealthy' AS "well!",
                  placement.retired_at IS NOT NULL AS "retired!", placement.confirmed_release_id,
                  COALESCE(host.last_seen_at > now() - interval '90 seconds', false) AS "seen!",
                  ARRAY(SELECT has.release_id FROM placement_release AS has
                        WHERE has.placement_id = placement.id
                          AND has.release_id IN (d.release_id, (d.rollback->'to'->>'id')::uuid)) AS "has!: Vec<Uuid>",
                  EXISTS (SELECT 1 FROM job WHERE job.placement_id = placement.id AND job.state = 'running'
                            AND job.kind IN ('activate', 'rollback')
                            AND job.deployment_id IS DISTINCT FROM d.id) AS "busy!"
           FROM deployment AS d,
                LATERAL (SELECT placement_id, wave, deferred, skipped, retried, accepted FROM deployment_host
                         WHERE d.started_at IS NOT NULL AND deployment_id = d.id
                         UNION ALL
                         SELECT id, 0, NULL, NULL, 0, 0 FROM placement
                         WHERE d.started_at IS NULL AND target_id = d.target_id AND retired_at IS NULL) AS frozen
                JOIN placement ON placement.id = frozen.placement_id
                JOIN host ON host.id = placement.host_id
           WHERE d.id = ANY ($1) ORDER BY 4, placement.host_id"#,
        ids,
    )
    .fetch_all(conn)
    .await?;
    let mut hosts: HashMap<Uuid, Vec<HostFacts>> = HashMap::new();
    for row in rows {
        let wrong = |what: &dyn ToString| wrong(DeploymentId(row.deployment), what.to_string());
        let skipped: Option<CancelDecision> = json(row.deployment, row.skipped)?;
        let skipped = skipped.map(|skipped| match skipped.reason {
            Some(reason) => format!("left out by {}: {reason}", skipped.by),
            None => format!("left out by {}", skipped.by),
        });
        let facts = HostFacts {
            placement: PlacementId(row.id),
            host: row.host_id.parse().map_err(|e| wrong(&e))?,
            wave: u32::try_from(row.wave).unwrap_or_default(),
            seen: row.seen,
            usable: row.usable,
            deferred: row.deferred,
            skipped,
            retried: row.retried,
            accepted: row.accepted,
            drift: row.drift,
            retired: row.retired,
            has: row.has.into_iter().map(ReleaseId).collect(),
            confirmed: row.confirmed_release_id.map(ReleaseId),
            well: row.well,
            busy: row.busy,
        };
        hosts.entry(row.deployment).or_default().push(facts);
    }
    Ok(hosts)
}

async fn read_jobs(conn: &mut PgConnection, ids: &[Uuid]) -> StoreResult<HashMap<Uuid, Vec<JobFacts>>> {
    let rows = sqlx::query!(
        r#"SELECT job.id, job.number, job.kind, job.purpose, job.placement_id AS "placement_id!",
                  job.deployment_id AS "deployment_id!", job.state, job.cancel_requested IS NOT NULL AS "cancelled!",
                  job.reason, job.started_at, job.ended_at, d.kind AS deployment_kind,
                  EXISTS (SELECT 1 FROM attempt WHERE attempt.job_id = job.id
                            AND attempt.ending IS DISTINCT FROM 'not_begun') AS "granted!",
                  (SELECT step.name FROM job_step AS step
                   WHERE step.job_id = job.id AND step.epoch = job.epoch AND step.finished_at IS NULL
                     AND job.state = 'running' ORDER BY step.ordinal DESC LIMIT 1) AS step
           FROM job JOIN deployment AS d ON d.id = job.deployment_id
           WHERE job.deployment_id = ANY ($1) AND job.purpose IN ('deploy', 'undo') AND job.placement_id IS NOT NULL
             AND job.kind IN ('install', 'activate', 'rollback', 'migrate')
           ORDER BY job.number"#,
        ids,
    )
    .fetch_all(conn)
    .await?;
    let mut jobs: HashMap<Uuid, Vec<JobFacts>> = HashMap::new();
    for row in rows {
        let wrong = |what: &dyn ToString| wrong(DeploymentId(row.deployment_id), what.to_string());
        let kind: JobKind = row.kind.parse().map_err(|e| wrong(&e))?;
        let state = serde_json::from_value(serde_json::Value::String(row.state)).map_err(|e| wrong(&e))?;
        let facts = JobFacts {
            id: JobId(row.id),
            number: row.number,
            kind,
            // The jobs of a rollback by hand have the purpose `undo` as well, and are its way forward.
            undo: row.purpose == Purpose::Undo.as_str()
                && row.deployment_kind != DeploymentKind::Rollback.as_str(),
            placement: PlacementId(row.placement_id),
            state,
            granted: row.granted,
            cancel_requested: row.cancelled,
            reason: row.reason,
            step: row.step,
            started_at: row.started_at,
            ended_at: row.ended_at,
        };
        jobs.entry(row.deployment_id).or_default().push(facts);
    }
    Ok(jobs)
}
