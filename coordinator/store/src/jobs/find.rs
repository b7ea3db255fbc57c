//! Reading jobs, with or without taking their lock. Several jobs are always locked in the order of their ids.

use pointsman_shared::ids::{DeploymentId, InstanceId, JobId, PlacementId};
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::JobKind;
use sqlx::PgConnection;

use super::row::{Columns, JobRow};
use crate::{StoreError, StoreResult};

macro_rules! select_jobs {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Columns,
            r#"SELECT job.id, job.number, job.kind, job.state, job.purpose, job.project_id, job.release_id, job.target_id,
                      job.placement_id, job.deployment_id, job.host_id, job.pool, job.generation, job.body,
                      job.body_digest, job.log_stream_id, job.epoch, job.max_epochs,
                      EXISTS (SELECT 1 FROM attempt WHERE attempt.job_id = job.id
                                                      AND attempt.ending IN ('lost', 'replaced')) AS "unsettled!",
                      job.offered_at, job.offer_expires_at, job.waiting_since, job.lease_until, job.instance_id,
                      job.worker_id, job.cancel_requested, job.outcome, job.reason, job.code, job.late_result,
                      job.declined, job.dead_offers, job.trace, job.created_at, job.started_at, job.ended_at
               FROM job "# + $tail
            $(, $argument)*
        )
    };
}

/// The job with this id.
pub async fn get(conn: &mut PgConnection, id: JobId) -> StoreResult<Option<JobRow>> {
    one(select_jobs!("WHERE id = $1", id.0).fetch_optional(conn).await?)
}

/// The job with this number.
pub async fn find_by_number(conn: &mut PgConnection, number: i64) -> StoreResult<Option<JobRow>> {
    one(select_jobs!("WHERE number = $1", number)
        .fetch_optional(conn)
        .await?)
}

/// Locks a job until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: JobId) -> StoreResult<Option<JobRow>> {
    one(select_jobs!("WHERE id = $1 FOR NO KEY UPDATE OF job", id.0)
        .fetch_optional(conn)
        .await?)
}

/// Locks the job with this number.
pub async fn lock_by_number(conn: &mut PgConnection, number: i64) -> StoreResult<Option<JobRow>> {
    one(select_jobs!("WHERE number = $1 FOR NO KEY UPDATE OF job", number)
        .fetch_optional(conn)
        .await?)
}

/// Every open job of a deployment.
pub async fn open_of_deployment(
    conn: &mut PgConnection,
    deployment: DeploymentId,
) -> StoreResult<Vec<JobRow>> {
    all(select_jobs!(
        "WHERE deployment_id = $1 AND ended_at IS NULL ORDER BY id",
        deployment.0
    )
    .fetch_all(conn)
    .await?)
}

/// Every open job of a placement.
pub async fn open_of_placement(conn: &mut PgConnection, placement: PlacementId) -> StoreResult<Vec<JobRow>> {
    all(select_jobs!(
        "WHERE placement_id = $1 AND ended_at IS NULL ORDER BY id",
        placement.0
    )
    .fetch_all(conn)
    .await?)
}

/// Locks what a process of a host works on.
pub async fn lock_running_of(
    conn: &mut PgConnection,
    host: &HostId,
    instance: InstanceId,
) -> StoreResult<Vec<JobRow>> {
    all(select_jobs!(
        "WHERE worker_id = $1 AND instance_id = $2 AND state = 'running' ORDER BY id FOR NO KEY UPDATE OF job",
        host.as_str(),
        instance.0
    )
    .fetch_all(conn)
    .await?)
}

/// Locks what waits for one host alone: offered to it, or deferred until it returns.
pub async fn waiting_for_host(conn: &mut PgConnection, host: &HostId) -> StoreResult<Vec<JobRow>> {
    all(select_jobs!(
        "WHERE host_id = $1 AND state IN ('offered', 'deferred') ORDER BY id FOR NO KEY UPDATE OF job",
        host.as_str()
    )
    .fetch_all(conn)
    .await?)
}

/// Locks what waits for a slot of a kind that this host declined as busy; the oldest first.
pub async fn declined_as_busy(
    conn: &mut PgConnection,
    host: &HostId,
    kind: JobKind,
    limit: i64,
) -> StoreResult<Vec<JobRow>> {
    all(select_jobs!(
        "WHERE state = 'offered' AND kind = $2 AND declined -> $1 ->> 'why' = 'busy'
         ORDER BY id LIMIT $3 FOR NO KEY UPDATE OF job",
        host.as_str(),
        kind.as_str(),
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// Every job that is offered to somebody.
pub async fn offered(conn: &mut PgConnection) -> StoreResult<Vec<JobId>> {
    let ids = sqlx::query_scalar!("SELECT id FROM job WHERE state = 'offered' ORDER BY id")
        .fetch_all(conn)
        .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// Locks one open job that the sweep should look at, when nobody else holds it; `due` is its id from [`due`].
pub async fn lock_free(conn: &mut PgConnection, id: JobId) -> StoreResult<Option<JobRow>> {
    one(
        select_jobs!("WHERE id = $1 FOR NO KEY UPDATE OF job SKIP LOCKED", id.0)
            .fetch_optional(conn)
            .await?,
    )
}

/// When a sweep looks at a job; all times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// A host that was silent for this long may be absent.
    pub quiet_ms: u64,
    /// A host that was heard within this time may be here.
    pub heard_ms: u64,
    /// An offer this young is looked at in every sweep, so that what it waits for is told soon.
    pub young_ms: u64,
    /// How long nobody may be there who could start a job.
    pub deadline_ms: u64,
}

/// What a sweep looks at, oldest first: leases and offers that ran out, hosts that went or came, deadlines that passed.
pub async fn due(conn: &mut PgConnection, patience: Patience) -> StoreResult<Vec<JobId>> {
    let seconds = |ms: u64| std::time::Duration::from_millis(ms).as_secs_f64();
    let ids = sqlx::query_scalar!(
        "SELECT job.id FROM job LEFT JOIN host ON host.id = job.host_id
         WHERE job.state = 'running' AND job.lease_until < now()
            OR job.state = 'deferred' AND host.last_seen_at > now() - make_interval(secs => $2)
            OR job.state = 'offered' AND (
                   job.offer_expires_at < now()
                   OR job.offered_at > now() - make_interval(secs => $3)
                   OR job.waiting_since < now() - make_interval(secs => $4)
                   OR job.host_id IS NOT NULL AND COALESCE(host.last_seen_at, '-infinity') < now() - make_interval(secs => $1))
         ORDER BY job.id",
        seconds(patience.quiet_ms),
        seconds(patience.heard_ms),
        seconds(patience.young_ms),
        seconds(patience.deadline_ms),
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

fn one(row: Option<Columns>) -> StoreResult<Option<JobRow>> {
    row.map(JobRow::try_from).transpose()
}

pub(super) fn all(rows: Vec<Columns>) -> StoreResult<Vec<JobRow>> {
    rows.into_iter()
        .map(JobRow::try_from)
        .collect::<Result<_, StoreError>>()
}
