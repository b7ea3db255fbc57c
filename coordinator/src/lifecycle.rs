//! How the process is asked to end: the first SIGTERM or SIGINT drains, the second ends it at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a process that was told twice.
const HARD: i32 = 130;

/// A token that the first signal cancels; the second ends the process.
pub fn stop_on_signals() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if told.is_cancelled() {
                tracing::warn!("told twice: ending at once");
                std::process::exit(HARD);
            }
            tracing::info!("draining: what is under way is finished; a second signal ends it at once");
            told.cancel();
        }
    });
    Ok(stop)
}
