//! Steps of attempts, as agents tell them; a step may be told twice, and its end before its start.

use chrono::{DateTime, Utc};
use pointsman_shared::wire::from_agent::{StepFinished, StepStarted};
use sqlx::PgConnection;

use crate::StoreResult;
use crate::jobs::epoch_column;

/// Notes that a step began.
pub async fn started(conn: &mut PgConnection, step: &StepStarted, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO job_step (job_id, epoch, ordinal, name, started_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        step.job.0,
        epoch_column(step.epoch),
        i32::try_from(step.ordinal).unwrap_or(i32::MAX),
        step.step,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a step ended.
pub async fn finished(conn: &mut PgConnection, step: &StepFinished, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO job_step (job_id, epoch, ordinal, name, started_at, finished_at, duration_ms, ok)
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7)
         ON CONFLICT (job_id, epoch, ordinal)
         DO UPDATE SET finished_at = EXCLUDED.finished_at, duration_ms = EXCLUDED.duration_ms, ok = EXCLUDED.ok
         WHERE job_step.finished_at IS NULL",
        step.job.0,
        epoch_column(step.epoch),
        i32::try_from(step.ordinal).unwrap_or(i32::MAX),
        step.step,
        now,
        i64::try_from(step.duration_ms).unwrap_or(i64::MAX),
        step.ok,
    )
    .execute(conn)
    .await?;
    Ok(())
}
