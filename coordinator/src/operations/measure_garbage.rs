//! Looks what the next collection would take, for the metrics: a dry run over everything, which orders nothing.

use pointsman_shared::api::garbage::GarbageRequest;

use super::{collect_garbage, run_schedules};
use crate::app::App;
use crate::error::OperationResult;

/// Looks once.
pub async fn execute(app: &App) -> OperationResult<()> {
    let actor = run_schedules::actor(app).await?;
    let wish = GarbageRequest {
        dry_run: true,
        ..GarbageRequest::default()
    };
    let found = collect_garbage::execute(app, &actor, &wish).await?;
    app.metrics.process.found_garbage(&found);
    Ok(())
}
