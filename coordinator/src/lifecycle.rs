//! How the process begins and ends in the eyes of others: a service manager is told when it serves and when it stops;
//! the first SIGTERM or SIGINT drains, the second ends it at once.

use sd_notify::NotifyState;
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
            tell(&[NotifyState::Stopping, NotifyState::Status("draining")]);
            told.cancel();
        }
    });
    Ok(stop)
}

/// Tells the service manager that this process has begun, and what it does; nothing happens where none listens.
pub fn tell_ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

fn tell(words: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(words) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
