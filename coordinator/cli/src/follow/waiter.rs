//! Waits for the next reason to look: an event, the poll that is the net below events, the end of the given time, or
//! Ctrl-C. Also bears with a coordinator that is away for a moment.

use std::time::Duration;

use pointsman_shared::api::events::Event;
use tokio::signal::unix::{Signal as Interrupt, SignalKind, signal};
use tokio::time::Instant;

use crate::client::{Client, EventStream, Signal};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Printer, Tone};
use crate::session::Session;
use crate::text;

/// How long the stream may take to open before the first look.
const OPENING: Duration = Duration::from_secs(2);
/// A coordinator that is silent for longer is given up; what it does goes on.
const MOST_SILENCE: Duration = Duration::from_mins(2);

/// Why the wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something may have changed.
    Look,
    /// Ctrl-C.
    Interrupted,
    /// The time of `--timeout` is up.
    TimedOut,
}

/// Holds the stream, the deadline and the Ctrl-C handler of one following.
pub struct Waiter {
    events: EventStream,
    interrupt: Interrupt,
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    silent_since: Option<Instant>,
    printer: Printer,
}

impl Waiter {
    /// Subscribes; call it before the wish is made, so that nothing of it is missed. From here on Ctrl-C is ours.
    pub async fn subscribe(session: &Session, client: &Client) -> Result<Self, CliError> {
        let interrupt = signal(SignalKind::interrupt()).map_err(|source| CliError::Io {
            what: "listen for Ctrl-C",
            source,
        })?;
        let mut events = EventStream::open(client, None);
        events.opened(OPENING).await;
        let timeout = session.options.timeout;
        Ok(Self {
            events,
            interrupt,
            timeout,
            deadline: timeout.map(|timeout| Instant::now() + timeout),
            silent_since: None,
            printer: session.printer.clone(),
        })
    }

    /// Waits, at most `poll`. `matters` sees every event and says whether it is worth a look.
    pub async fn wait(
        &mut self,
        poll: Duration,
        mut matters: impl FnMut(&Event) -> Result<bool, CliError>,
    ) -> Result<Wake, CliError> {
        let until = Instant::now() + poll;
        loop {
            let deadline = self.deadline;
            let time_is_up = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = self.interrupt.recv() => return Ok(Wake::Interrupted),
                () = time_is_up => return Ok(Wake::TimedOut),
                signal = self.events.next() => {
                    let mut look = worth_a_look(&signal, &mut matters)?;
                    // Many events at once are one reason to look.
                    while let Some(signal) = self.events.ready() {
                        look |= worth_a_look(&signal, &mut matters)?;
                    }
                    if look {
                        return Ok(Wake::Look);
                    }
                }
                () = tokio::time::sleep_until(until) => return Ok(Wake::Look),
            }
        }
    }

    /// The answer, or nothing while the coordinator is away for a moment; says so once.
    pub fn bear<T>(&mut self, answer: Result<T, CliError>) -> Result<Option<T>, CliError> {
        match answer {
            Ok(answer) => {
                if self.silent_since.take().is_some() {
                    self.printer
                        .step(Tone::Good, "Connected", "the coordinator answers again");
                }
                Ok(Some(answer))
            }
            Err(error) if error.is_passing() => {
                if self.silent_since.is_none() {
                    let sentence = format!("{error}; trying again, the work itself goes on");
                    self.printer.step(Tone::Warning, "Lost", &sentence);
                }
                let since = *self.silent_since.get_or_insert_with(Instant::now);
                if since.elapsed() > MOST_SILENCE {
                    return Err(CliError::Outcome {
                        exit: Exit::TimedOut,
                        what: format!(
                            "no answer from the coordinator for {}",
                            text::duration(MOST_SILENCE)
                        ),
                        why: Some(error.to_string()),
                        help: Some("the work goes on; look again later with `pointsman status`".to_owned()),
                    });
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What is said when the time is up: `subject` still runs, `command` follows it again.
    pub fn time_is_up(&self, subject: &str, command: &str) -> CliError {
        let after = text::duration(self.timeout.unwrap_or_default());
        CliError::Outcome {
            exit: Exit::TimedOut,
            what: format!("{subject} is still running after {after}"),
            why: None,
            help: Some(command.to_owned()),
        }
    }
}

fn worth_a_look(
    signal: &Signal,
    matters: &mut impl FnMut(&Event) -> Result<bool, CliError>,
) -> Result<bool, CliError> {
    match signal {
        // Between two connections anything may have happened.
        Signal::Connected => Ok(true),
        Signal::Event(event) => matters(event),
        // The poll goes on without events.
        Signal::Refused(_) => Ok(false),
    }
}
