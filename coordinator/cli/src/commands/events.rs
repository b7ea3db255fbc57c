//! `events`: what happens to machines and work, a line each, until Ctrl-C.

use pointsman_shared::api::events::Event;
use tokio::time::Instant;

use crate::args::Events;
use crate::client::{EventStream, Signal};
use crate::error::CliError;
use crate::exit::Exit;
use crate::follow::Streamed;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::text;

/// Shows events as they come.
pub async fn events(session: &Session, args: Events) -> Result<Exit, CliError> {
    let client = session.client()?;
    let mut stream = EventStream::open(&client, args.after);
    let deadline = session.options.timeout.map(|timeout| Instant::now() + timeout);
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let signal = match deadline {
            None => stream.next().await,
            Some(at) => match tokio::time::timeout_at(at, stream.next()).await {
                Ok(signal) => signal,
                Err(_time_is_up) => return Ok(Exit::TimedOut),
            },
        };
        match signal {
            Signal::Connected => {}
            Signal::Refused(error) => return Err(error),
            Signal::Event(event) => {
                show(session, &event)?;
                left -= 1;
            }
        }
    }
    Ok(Exit::Ok)
}

fn show(session: &Session, event: &Event) -> Result<(), CliError> {
    let printer = &session.printer;
    let at = text::moment(event.at);
    match printer.format() {
        Format::Json => printer.stream(&Streamed::Event(event)),
        Format::Plain => printer.line(&format!(
            "{}\t{at}\t{}\t{}",
            event.cursor,
            text::plain(&event.kind),
            text::plain(&event.message)
        )),
        Format::Table => printer.line(&format!(
            "{} {}  {}",
            Tone::Faint.paint(&at),
            Tone::Busy.paint(&format!("{:<22}", text::plain(&event.kind))),
            text::plain(&event.message)
        )),
    }
}
