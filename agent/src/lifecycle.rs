//! How the process begins and ends in the eyes of others: a service manager is told when the agent runs and when it
//! stops; the first SIGTERM or SIGINT asks it to end, the second insists.

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Finish what runs and end.
    Soft,
    /// End now.
    Hard,
}

/// Listens for signals.
#[derive(Debug)]
pub struct Signals {
    term: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    asked: bool,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            asked: false,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        if std::mem::replace(&mut self.asked, true) {
            return Signal::Hard;
        }
        let status = "draining: what runs may finish, nothing new is taken";
        tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
        Signal::Soft
    }
}

/// Tells the service manager that the agent runs; nothing happens where none listens.
pub fn tell_ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("running")]);
}

fn tell(words: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(words) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
