//! The signals that end a sandbox in order: Ctrl-C, TERM, and the closing of its terminal.

use pointsman_sandbox::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for a request to end. From its making on, the signals no longer end the process by themselves.
#[derive(Debug)]
pub(crate) struct Ending {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Ending {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(Error::io("listening for signals"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// The exit status for the first such signal, as a shell would report it.
    pub(crate) async fn requested(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
            _ = self.hang_up.recv() => 129,
        }
    }
}
