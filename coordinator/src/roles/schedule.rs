//! What happens by the clock: history is pruned by its settings.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::operations::prune_history;

const PAUSE: Duration = Duration::from_hours(1);

/// Runs schedules until `stop`.
pub async fn run(app: &App, stop: &CancellationToken) {
    loop {
        if let Err(error) = prune_history::execute(app).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "history could not be pruned"
            );
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}
