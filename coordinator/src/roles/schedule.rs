//! What happens by the clock: garbage is collected by each project's schedule, history is pruned by its settings, the
//! audit trail is chained, and what a collection would take is measured.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::OperationResult;
use crate::operations::{chain_audit, measure_garbage, prune_history, run_schedules};

/// Between two looks at the clock; a schedule knows minutes.
const PAUSE: Duration = Duration::from_secs(20);
/// Looks between two prunings of history.
const LOOKS: u32 = 180;
/// Looks between two measurements of garbage.
const MEASURE: u32 = 30;

/// Runs schedules until `stop`.
pub async fn run(app: &App, stop: &CancellationToken) {
    for look in (0..LOOKS).cycle() {
        if look == 0 {
            note("pruning history", prune_history::execute(app).await.map(drop));
        }
        note(
            "chaining the audit trail",
            chain_audit::execute(app).await.map(drop),
        );
        note("running schedules", run_schedules::execute(app).await);
        if look % MEASURE == 1 {
            note("measuring garbage", measure_garbage::execute(app).await);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

fn note(what: &str, outcome: OperationResult<()>) {
    if let Err(error) = outcome {
        tracing::warn!(error = &error as &dyn std::error::Error, "{what} failed");
    }
}
