//! Deployments: stored decisions and, once, the outcome. Their state while open is derived from [`facts`].

mod change;
mod read;
mod waits;

pub use change::{
    Start, accept_failure, add_steps, allow_migration_try, cancel, decide_rollback, defer_host, end, insert,
    pause, resume, retry_host, skip_host, start, supersede, wish_pause, withdraw_pause,
};
pub(crate) use read::ended;
pub use read::{facts, facts_of};
pub use waits::waits;

use chrono::{DateTime, Utc};
use pointsman_domain::deployment::DeploymentKind;
use pointsman_domain::timing::Timing;
use pointsman_shared::api::projects::Strategy;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{DeploymentId, PrincipalId, ReleaseId, TargetId};
use pointsman_shared::wire::TraceParent;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A deployment to insert.
#[derive(Debug, Clone)]
pub struct NewDeployment<'a> {
    /// Its id.
    pub id: DeploymentId,
    /// Where.
    pub target: TargetId,
    /// What should be live.
    pub release: ReleaseId,
    /// What it is.
    pub kind: DeploymentKind,
    /// Who wished it.
    pub by: PrincipalId,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<&'a str>,
    /// How, frozen.
    pub strategy: &'a Strategy,
    /// When it may start.
    pub timing: Timing,
    /// The plan that it was held to.
    pub plan: Option<Digest>,
    /// The trace of the request that wished it; its jobs belong to it.
    pub trace: Option<&'a TraceParent>,
}

/// Which deployment, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRow {
    /// Its id.
    pub id: DeploymentId,
    /// Its number.
    pub number: i64,
    /// Its target.
    pub target: TargetId,
    /// Its release.
    pub release: ReleaseId,
    /// Whether hosts and waves are frozen.
    pub started: bool,
    /// Whether it has a time of its own to start at.
    pub scheduled: bool,
    /// Whether it is over.
    pub ended: bool,
    /// Name of who wished it.
    pub requested_by: String,
}

macro_rules! select_deployments {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query!(
            r#"SELECT deployment.id, deployment.number, deployment.target_id, deployment.release_id,
                      deployment.started_at IS NOT NULL AS "started!",
                      deployment.scheduled_for IS NOT NULL AS "scheduled!", deployment.ended_at IS NOT NULL AS "ended!",
                      principal.name AS requested_by
               FROM deployment JOIN principal ON principal.id = deployment.requested_by "# + $tail
            $(, $argument)*
        )
        .map(|row| DeploymentRow {
            id: DeploymentId(row.id),
            number: row.number,
            target: TargetId(row.target_id),
            release: ReleaseId(row.release_id),
            started: row.started,
            scheduled: row.scheduled,
            ended: row.ended,
            requested_by: row.requested_by,
        })
    };
}

/// The deployment with this number.
pub async fn find(conn: &mut PgConnection, number: i64) -> StoreResult<Option<DeploymentRow>> {
    Ok(select_deployments!("WHERE deployment.number = $1", number)
        .fetch_optional(conn)
        .await?)
}

/// The deployment with this id.
pub async fn get(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<Option<DeploymentRow>> {
    Ok(select_deployments!("WHERE deployment.id = $1", id.0)
        .fetch_optional(conn)
        .await?)
}

/// Every open deployment, oldest first: who waits is looked at after those it waits for.
pub async fn open(conn: &mut PgConnection) -> StoreResult<Vec<DeploymentRow>> {
    Ok(select_deployments!(
        "WHERE deployment.ended_at IS NULL ORDER BY deployment.started_at NULLS LAST, deployment.number"
    )
    .fetch_all(conn)
    .await?)
}

/// The open deployments of a target: the started one and the waiting ones.
pub async fn open_of_target(conn: &mut PgConnection, target: TargetId) -> StoreResult<Vec<DeploymentRow>> {
    Ok(select_deployments!(
        "WHERE deployment.target_id = $1 AND deployment.ended_at IS NULL
         ORDER BY deployment.started_at NULLS LAST, deployment.number",
        target.0
    )
    .fetch_all(conn)
    .await?)
}

/// The hash of the plan that a deployment insists on.
pub async fn plan_of(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<Option<Digest>> {
    let hash = sqlx::query_scalar!("SELECT plan_hash FROM deployment WHERE id = $1", id.0)
        .fetch_one(conn)
        .await?;
    let hash = hash.map(<[u8; 32]>::try_from).transpose();
    Ok(hash
        .map_err(|_| wrong(id, "the hash of its plan has not 32 bytes"))?
        .map(Digest::from_bytes))
}

/// The open deployment of a target that carries out this plan: not one that holds, goes back, or waits for a time.
pub async fn carrying_out(
    conn: &mut PgConnection,
    target: TargetId,
    plan: &Digest,
) -> StoreResult<Option<DeploymentRow>> {
    Ok(select_deployments!(
        "WHERE deployment.target_id = $1 AND deployment.plan_hash = $2 AND deployment.ended_at IS NULL
           AND deployment.cancel IS NULL AND deployment.rollback IS NULL AND deployment.paused IS NULL
           AND (deployment.scheduled_for IS NULL OR deployment.started_at IS NOT NULL)
         ORDER BY deployment.number DESC LIMIT 1",
        target.0,
        plan.as_bytes(),
    )
    .fetch_optional(conn)
    .await?)
}

/// When the next deployment that waits for a time is due.
pub async fn next_due(conn: &mut PgConnection, after: DateTime<Utc>) -> StoreResult<Option<DateTime<Utc>>> {
    let due = sqlx::query_scalar!(
        "SELECT min(due) FROM deployment, unnest(ARRAY[held_until, scheduled_for, expires_at]) AS due
         WHERE started_at IS NULL AND ended_at IS NULL AND due > $1",
        after,
    )
    .fetch_one(conn)
    .await?;
    Ok(due)
}

/// How long the newest deployments of a target took that ended live, in milliseconds, without what they waited for a
/// person.
pub async fn durations(conn: &mut PgConnection, target: TargetId, most: i64) -> StoreResult<Vec<u64>> {
    let times = sqlx::query_scalar!(
        r#"SELECT (EXTRACT(EPOCH FROM ended_at - started_at
                        - COALESCE((SELECT sum(wait.till - wait.since) FROM deployment_wait AS wait
                                    WHERE wait.deployment_id = deployment.id), interval '0')) * 1000)::bigint AS "took!"
           FROM deployment
           WHERE target_id = $1 AND kind = 'deploy' AND outcome = 'live' AND started_at IS NOT NULL
           ORDER BY number DESC LIMIT $2"#,
        target.0,
        most,
    )
    .fetch_all(conn)
    .await?;
    Ok(times
        .into_iter()
        .filter_map(|took| u64::try_from(took).ok())
        .collect())
}

/// Whether another open deployment wants this release.
pub async fn is_wanted(conn: &mut PgConnection, release: ReleaseId, but: DeploymentId) -> StoreResult<bool> {
    let wanted = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM deployment WHERE release_id = $1 AND id <> $2 AND ended_at IS NULL) AS "wanted!""#,
        release.0,
        but.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(wanted)
}

/// Locks an open deployment until the transaction ends; false = it is over, or somebody else looks at it right now.
pub async fn try_lock(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<bool> {
    let row = sqlx::query_scalar!(
        "SELECT id FROM deployment WHERE id = $1 AND ended_at IS NULL FOR NO KEY UPDATE SKIP LOCKED",
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Locks a deployment until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<()> {
    sqlx::query!("SELECT id FROM deployment WHERE id = $1 FOR NO KEY UPDATE", id.0)
        .fetch_one(conn)
        .await?;
    Ok(())
}

pub(crate) fn wrong(id: DeploymentId, what: impl ToString) -> StoreError {
    StoreError::inconsistent("deployment", id, what)
}
