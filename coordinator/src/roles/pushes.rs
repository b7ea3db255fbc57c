//! Answers pushes as soon as they are told: at once in this process, a little later where another one took them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::operations::answer_pushes;

/// Between two looks without a bell.
const PAUSE: Duration = Duration::from_secs(3);

/// Answers pushes until `stop`.
pub async fn run(app: &App, stop: &CancellationToken) {
    loop {
        if let Err(error) = answer_pushes::execute(app).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "answering pushes failed"
            );
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.bells.pushes.notified() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}
