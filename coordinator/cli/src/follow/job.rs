//! Follows one job that belongs to no deployment: its log as it is written, then how it ended.

use std::time::Duration;

use pointsman_shared::api::events::Event;
use pointsman_shared::api::jobs::{Job, JobState};
use tokio::time::Instant;

use super::{LogLine, LogMerge, Look, Streamed, Waiter, Wake};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Printer, Tone};
use crate::session::Session;

/// Log chunks make no events, so the log is asked for at this pace.
const POLL: Duration = Duration::from_secs(1);
/// The last lines may come after the result; they are waited for no longer.
const LAST_LINES: Duration = Duration::from_secs(10);

/// Follows `first` to its end; `undo` is its inverse once it succeeded.
pub async fn job(
    session: &Session,
    client: &Client,
    mut waiter: Waiter,
    first: Job,
    undo: &str,
) -> Result<Exit, CliError> {
    let printer = &session.printer;
    let number = first.number;
    let (mut current, mut log, mut told) = (first, LogMerge::default(), None);
    let mut over_since: Option<Instant> = None;
    loop {
        tell(printer, &current, &mut told);
        log.track([&current]);
        waiter.bear(drain(printer, client, &mut log).await)?;
        if current.state.is_final() || current.state == JobState::Indeterminate {
            let since = *over_since.get_or_insert_with(Instant::now);
            if log.is_complete() || since.elapsed() > LAST_LINES {
                return end(printer, &current, undo);
            }
        }
        let matters = |event: &Event| {
            let ours = event.job == Some(number);
            if ours {
                printer.stream(&Streamed::Event(event))?;
            }
            Ok(ours)
        };
        match waiter.wait(POLL, matters).await? {
            Wake::Look => current = waiter.bear(client.job(number).await)?.unwrap_or(current),
            Wake::Interrupted => {
                let words = format!(
                    "job #{number} goes on; `pointsman logs -f --job {number}`, stop it with `pointsman cancel --job {number}`"
                );
                printer.say(Tone::Warning, "Detached", &words);
                return Ok(Exit::Interrupted);
            }
            Wake::TimedOut => {
                let subject = format!("job #{number}");
                return Err(waiter.time_is_up(&subject, &format!("pointsman logs -f --job {number}")));
            }
        }
    }
}

/// Says what is new about it.
fn tell(printer: &Printer, job: &Job, told: &mut Option<String>) {
    let reason = job
        .reason
        .as_ref()
        .map_or(String::new(), |reason| format!(": {reason}"));
    let (tone, verb, words) = match job.state {
        JobState::Queued | JobState::Offered | JobState::Deferred => {
            (Tone::Plain, "Waiting", format!("job #{}{reason}", job.number))
        }
        JobState::Running => {
            let host = job.host.as_ref().map_or("its host", AsRef::as_ref);
            (Tone::Busy, "Running", format!("job #{} on {host}", job.number))
        }
        // How it ended is told at the end, after its log.
        JobState::Indeterminate
        | JobState::Succeeded
        | JobState::Failed
        | JobState::Cancelled
        | JobState::Superseded
        | JobState::Abandoned => return,
    };
    if told.as_ref() != Some(&words) {
        printer.step(tone, verb, &words);
        *told = Some(words);
    }
}

async fn drain(printer: &Printer, client: &Client, log: &mut LogMerge) -> Result<(), CliError> {
    let look = Look {
        format: Format::Table,
        terminal: printer.talks_to_terminal(),
        hosts: false,
        times: false,
    };
    let show = |line: LogLine| {
        if printer.format() == Format::Json {
            return printer.stream(&Streamed::Line(&line));
        }
        printer.progress_line(&line.shown(look));
        Ok(())
    };
    log.drain(client, show).await
}

fn end(printer: &Printer, job: &Job, undo: &str) -> Result<Exit, CliError> {
    let number = job.number;
    let fail = |exit, what: &str| {
        Err(CliError::Outcome {
            exit,
            what: format!("job #{number} {what}"),
            why: job.reason.clone(),
            help: Some(format!("pointsman logs --job {number}")),
        })
    };
    match job.state {
        JobState::Succeeded => {
            printer.step(Tone::Good, "Done", &format!("job #{number}"));
            printer.undo(undo);
            Ok(Exit::Ok)
        }
        JobState::Failed | JobState::Abandoned => fail(Exit::Failed, "failed"),
        JobState::Cancelled | JobState::Superseded => fail(Exit::Cancelled, "was cancelled"),
        JobState::Indeterminate => fail(Exit::Failed, "is indeterminate: nobody saw its end"),
        JobState::Queued | JobState::Offered | JobState::Running | JobState::Deferred => {
            fail(Exit::TimedOut, "goes on")
        }
    }
}
