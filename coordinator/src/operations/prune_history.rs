//! Deletes what history need not keep: events, log chunks, messages, answers, and uploads that were never completed.
//!
//! The `schedule` role runs it; several coordinators may at once, each takes other rows. The audit trail is never pruned.

use chrono::TimeDelta;
use pointsman_store::retention::{self, BATCH, Prunable};
use pointsman_store::sessions;

use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// An upload that did not end within this time never will.
const UPLOAD: TimeDelta = TimeDelta::days(1);
/// How long a browser that was signed in is remembered after its session's end.
const SESSION: TimeDelta = TimeDelta::days(30);

/// Prunes everything that is due; returns how many rows.
pub async fn execute(app: &App) -> OperationResult<u64> {
    let mut pruned = 0;
    for table in Prunable::ALL {
        loop {
            // A transaction per batch, so that readers and writers get their turn in between.
            let mut conn = app.store.read().await?;
            let batch = retention::prune(&mut conn, table).await?;
            pruned += batch;
            if batch < BATCH.unsigned_abs() {
                break;
            }
        }
    }
    let mut conn = app.store.read().await?;
    pruned += sessions::forget_over(&mut conn, app.clock.now() - SESSION).await?;
    drop(conn);
    let swept = app
        .objects
        .sweep(app.clock.now() - UPLOAD)
        .await
        .map_err(|error| OperationError::internal("sweeping the artifact store", error))?;
    if pruned > 0 || swept > 0 {
        tracing::info!(rows = pruned, uploads = swept, "history was pruned");
    }
    Ok(pruned)
}
