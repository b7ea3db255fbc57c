//! Answers pushes as soon as they are told: at once in this process, a little later where another one took them. A few at
//! a time, each of another project, so that one repository that hangs holds up no other.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::OperationResult;
use crate::operations::answer_pushes;

/// Between two looks without a bell.
const PAUSE: Duration = Duration::from_secs(3);
/// Pushes that are answered at the same time.
const AT_ONCE: usize = 4;

/// Answers pushes until `stop`; what is under way then is tried again once its claim has run out.
pub async fn run(app: &App, stop: &CancellationToken) {
    let mut work = JoinSet::new();
    loop {
        note(begin(app, &mut work).await);
        tokio::select! {
            () = stop.cancelled() => return,
            // Another push of the same project may be next.
            Some(_) = work.join_next() => {}
            () = app.bells.pushes.notified() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn begin(app: &App, work: &mut JoinSet<()>) -> OperationResult<()> {
    while work.len() < AT_ONCE
        && let Some(push) = answer_pushes::claim(app).await?
    {
        let app = app.clone();
        work.spawn(async move { note(answer_pushes::execute(&app, &push).await) });
    }
    Ok(())
}

fn note(outcome: OperationResult<()>) {
    if let Err(error) = outcome {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "answering pushes failed"
        );
    }
}
