//! Writing a deployment's decisions. The outcome is written once: every change asks for an open row.

use chrono::{DateTime, Utc};
use pointsman_domain::deployment::{
    CancelDecision, DeploymentOutcome, PauseReason, PauseWish, Paused, RollbackDecision,
};
use pointsman_shared::ids::{DeploymentId, PlacementId, ReleaseId};
use pointsman_shared::wire::TraceParent;
use sqlx::PgConnection;

use super::{NewDeployment, waits, wrong};
use crate::StoreResult;

/// Inserts a wish; it waits until it is started. Returns its number.
pub async fn insert(conn: &mut PgConnection, new: &NewDeployment<'_>) -> StoreResult<i64> {
    let strategy = serde_json::to_value(new.strategy).map_err(|error| wrong(new.id, error))?;
    let number = sqlx::query_scalar!(
        "INSERT INTO deployment (id, target_id, release_id, kind, requested_by, requested_at, reason, strategy,
                                 held_until, scheduled_for, expires_at, plan_hash, trace)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING number",
        new.id.0,
        new.target.0,
        new.release.0,
        new.kind.as_str(),
        new.by.0,
        new.at,
        new.reason,
        strategy,
        new.timing.held_until,
        new.timing.scheduled_for,
        new.timing.expires_at,
        new.plan.map(|plan| plan.as_bytes().to_vec()),
        new.trace.map(TraceParent::as_str),
    )
    .fetch_one(conn)
    .await?;
    Ok(number)
}

/// A newer wish takes the place of one that waits.
pub async fn supersede(
    conn: &mut PgConnection,
    id: DeploymentId,
    by: DeploymentId,
    detail: &str,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE deployment SET outcome = 'superseded', superseded_by = $2, outcome_detail = $3, ended_at = $4
         WHERE id = $1 AND started_at IS NULL AND ended_at IS NULL",
        id.0,
        by.0,
        detail,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a start freezes.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// The deployment.
    pub id: DeploymentId,
    /// The release to go back to.
    pub from: Option<ReleaseId>,
    /// Every host's placement and wave.
    pub hosts: &'a [(PlacementId, u32)],
    /// When.
    pub at: DateTime<Utc>,
}

/// Starts a deployment: freezes its hosts and waves, and clears what differed on them, for a person decided anew.
/// The schema allows one started deployment per target.
pub async fn start(conn: &mut PgConnection, start: &Start<'_>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE deployment SET started_at = $2, from_release_id = $3
         WHERE id = $1 AND started_at IS NULL AND ended_at IS NULL",
        start.id.0,
        start.at,
        start.from.map(|from| from.0),
    )
    .execute(&mut *conn)
    .await?;
    let placements: Vec<_> = start.hosts.iter().map(|(placement, _)| placement.0).collect();
    let waves: Vec<_> = start
        .hosts
        .iter()
        .map(|(_, wave)| i32::try_from(*wave).unwrap_or(i32::MAX))
        .collect();
    sqlx::query!(
        "INSERT INTO deployment_host (deployment_id, placement_id, host_id, wave)
         SELECT $1, placement.id, placement.host_id, frozen.wave
         FROM unnest($2::uuid[], $3::integer[]) AS frozen (placement_id, wave)
              JOIN placement ON placement.id = frozen.placement_id",
        start.id.0,
        &placements,
        &waves,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "UPDATE placement SET drift = NULL WHERE id = ANY ($1)",
        &placements
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down what the deployment will do, in order.
pub async fn add_steps(conn: &mut PgConnection, id: DeploymentId, steps: &[(&str, &str)]) -> StoreResult<()> {
    for (ordinal, (kind, scope)) in (0_i32..).zip(steps) {
        let requires: Vec<i32> = (ordinal > 0).then_some(ordinal - 1).into_iter().collect();
        sqlx::query!(
            "INSERT INTO deployment_step (deployment_id, ordinal, kind, scope, requires) VALUES ($1, $2, $3, $4, $5)",
            id.0,
            ordinal,
            *kind,
            *scope,
            &requires,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// A host is no longer waited for.
pub async fn defer_host(
    conn: &mut PgConnection,
    id: DeploymentId,
    placement: PlacementId,
    why: &str,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE deployment_host SET deferred = $3 WHERE deployment_id = $1 AND placement_id = $2 AND deferred IS NULL",
        id.0,
        placement.0,
        why,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// It waits for a person.
pub async fn pause(conn: &mut PgConnection, id: DeploymentId, paused: &Paused) -> StoreResult<()> {
    let is_asked = paused.why == PauseReason::Asked;
    let paused = serde_json::to_value(paused).map_err(|error| wrong(id, error))?;
    sqlx::query!(
        "UPDATE deployment SET paused = $2, pause_wish = CASE WHEN $3 THEN NULL ELSE pause_wish END
         WHERE id = $1 AND ended_at IS NULL",
        id.0,
        paused,
        is_asked,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// It is to wait for a person before its next wave.
pub async fn wish_pause(conn: &mut PgConnection, id: DeploymentId, wish: &PauseWish) -> StoreResult<()> {
    let wish = serde_json::to_value(wish).map_err(|error| wrong(id, error))?;
    sqlx::query!(
        "UPDATE deployment SET pause_wish = $2 WHERE id = $1 AND ended_at IS NULL",
        id.0,
        wish
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What fell short on a host up to this job counts no more: it is tried again.
pub async fn retry_host(
    conn: &mut PgConnection,
    id: DeploymentId,
    placement: PlacementId,
    job: i64,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE deployment_host SET retried = $3 WHERE deployment_id = $1 AND placement_id = $2",
        id.0,
        placement.0,
        job,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person leaves a host out.
pub async fn skip_host(
    conn: &mut PgConnection,
    id: DeploymentId,
    placement: PlacementId,
    skipped: &CancelDecision,
) -> StoreResult<()> {
    let skipped = serde_json::to_value(skipped).map_err(|error| wrong(id, error))?;
    sqlx::query!(
        "UPDATE deployment_host SET skipped = $3 WHERE deployment_id = $1 AND placement_id = $2",
        id.0,
        placement.0,
        skipped,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// It no longer waits for a person; that it did is kept.
pub async fn resume(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<()> {
    waits::keep(&mut *conn, id).await?;
    sqlx::query!(
        "UPDATE deployment SET paused = NULL WHERE id = $1 AND ended_at IS NULL",
        id.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person accepts what failed on a host up to this job.
pub async fn accept_failure(
    conn: &mut PgConnection,
    id: DeploymentId,
    placement: PlacementId,
    job: i64,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE deployment_host SET accepted = $3 WHERE deployment_id = $1 AND placement_id = $2",
        id.0,
        placement.0,
        job,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// It is no longer to wait for a person before its next wave.
pub async fn withdraw_pause(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE deployment SET pause_wish = NULL WHERE id = $1 AND ended_at IS NULL",
        id.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person wants the pre-migrations tried once more.
pub async fn allow_migration_try(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE deployment SET migration_tries = migration_tries + 1 WHERE id = $1 AND ended_at IS NULL",
        id.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// It rolls back.
pub async fn decide_rollback(
    conn: &mut PgConnection,
    id: DeploymentId,
    rollback: &RollbackDecision,
) -> StoreResult<()> {
    let rollback = serde_json::to_value(rollback).map_err(|error| wrong(id, error))?;
    sqlx::query!(
        "UPDATE deployment SET rollback = $2 WHERE id = $1 AND ended_at IS NULL",
        id.0,
        rollback
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// It is being cancelled.
pub async fn cancel(conn: &mut PgConnection, id: DeploymentId, cancel: &CancelDecision) -> StoreResult<()> {
    let cancel = serde_json::to_value(cancel).map_err(|error| wrong(id, error))?;
    sqlx::query!(
        "UPDATE deployment SET cancel = $2 WHERE id = $1 AND ended_at IS NULL",
        id.0,
        cancel
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the outcome; false = somebody wrote one before.
pub async fn end(
    conn: &mut PgConnection,
    id: DeploymentId,
    outcome: DeploymentOutcome,
    detail: &str,
    at: DateTime<Utc>,
) -> StoreResult<bool> {
    waits::keep(&mut *conn, id).await?;
    let done = sqlx::query!(
        "UPDATE deployment SET outcome = $2, outcome_detail = $3, ended_at = $4, paused = NULL
         WHERE id = $1 AND ended_at IS NULL",
        id.0,
        outcome.as_str(),
        detail,
        at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
