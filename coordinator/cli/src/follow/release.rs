//! Follows a build: its log as it is written, then how it ended.

use std::time::Duration;

use pointsman_shared::api::events::Event;
use pointsman_shared::api::releases::{Release, ReleaseState};
use tokio::time::Instant;

use super::{LogLine, LogMerge, Look, Streamed, Waiter, Wake};
use crate::client::Client;
use crate::commands::release_table;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Live, Printer, Tone};
use crate::session::Session;

/// Log chunks make no events, so the log is asked for at this pace.
const POLL: Duration = Duration::from_secs(1);
/// The last lines may come after the result; they are waited for no longer.
const LAST_LINES: Duration = Duration::from_secs(10);

/// Follows the build of `first` to its end.
pub async fn release(
    session: &Session,
    client: &Client,
    mut waiter: Waiter,
    first: Release,
) -> Result<Exit, CliError> {
    let printer = &session.printer;
    printer.stream(&Streamed::Release(&first))?;
    let mut screen = Screen::new(printer);
    let mut over_since: Option<Instant> = None;
    let mut current = first;
    loop {
        screen.show(&current);
        if let Some(number) = current.job {
            waiter.bear(screen.read_log(client, number).await)?;
        }
        if !matches!(current.state, ReleaseState::Queued | ReleaseState::Building) {
            let since = *over_since.get_or_insert_with(Instant::now);
            if screen.log.is_complete() || since.elapsed() > LAST_LINES {
                return end(screen, &current);
            }
        }
        let job = current.job;
        match waiter.wait(POLL, |event| matters(printer, job, event)).await? {
            Wake::Look => {
                let read = client
                    .release(&current.project, &format!("#{}", current.number))
                    .await;
                current = waiter.bear(read)?.unwrap_or(current);
            }
            Wake::Interrupted => {
                drop(screen);
                printer.say(Tone::Warning, "Detached", &goes_on(&current));
                return Ok(Exit::Interrupted);
            }
            Wake::TimedOut => {
                drop(screen);
                let Release {
                    project,
                    label,
                    number,
                    ..
                } = &current;
                let subject = format!("the build of {project} {label}");
                return Err(waiter.time_is_up(&subject, &format!("pointsman logs -f {project} '#{number}'")));
            }
        }
    }
}

/// Whether an event is about this build's job; streams those that are.
fn matters(printer: &Printer, job: Option<i64>, event: &Event) -> Result<bool, CliError> {
    let ours = job.is_some() && event.job == job;
    if ours {
        printer.stream(&Streamed::Event(event))?;
    }
    Ok(ours)
}

/// What is on the screen: lines that stay, and the line that is redrawn.
struct Screen<'a> {
    printer: &'a Printer,
    live: Live,
    log: LogMerge,
    state: Option<ReleaseState>,
    waits: Option<String>,
}

impl<'a> Screen<'a> {
    fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            live: printer.live(),
            log: LogMerge::default(),
            state: None,
            waits: None,
        }
    }

    fn show(&mut self, release: &Release) {
        let Release { project, label, .. } = release;
        let words = format!("{project} {label} at {}", short(&release.commit));
        if self.state.replace(release.state) != Some(release.state) {
            match release.state {
                ReleaseState::Queued => self.printer.step(Tone::Plain, "Queued", &words),
                ReleaseState::Building => self.printer.step(Tone::Busy, "Building", &words),
                // How it ended is told at the end, after its log.
                ReleaseState::Built
                | ReleaseState::Failed
                | ReleaseState::Cancelled
                | ReleaseState::Pruned => {}
            }
        }
        self.live
            .draw("Building", 0, 0, &format!("{project} {label}"), &[]);
    }

    /// Shows new lines of the log, and why the job waits while it does.
    async fn read_log(&mut self, client: &Client, job: i64) -> Result<(), CliError> {
        let job = client.job(job).await?;
        if let Some(reason) = job.reason.as_ref().filter(|_| !job.state.is_final())
            && self.waits.as_ref() != Some(reason)
        {
            self.printer.step(Tone::Warning, "Waiting", reason);
            self.waits = Some(reason.clone());
        }
        self.log.track([&job]);
        let printer = self.printer;
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
        self.log.drain(client, show).await
    }
}

fn goes_on(release: &Release) -> String {
    let Release {
        project,
        label,
        number,
        ..
    } = release;
    let stop = release.job.map_or(String::new(), |job| {
        format!(", stop it with `pointsman cancel --job {job}`")
    });
    format!("the build of {project} {label} goes on; `pointsman logs -f {project} '#{number}'`{stop}")
}

fn end(screen: Screen<'_>, release: &Release) -> Result<Exit, CliError> {
    let Screen {
        printer, live, log, ..
    } = screen;
    drop(live);
    for missing in log.missing() {
        printer.warn(&format!("the log is not whole, {missing}"));
    }
    printer.stream(&Streamed::Release(release))?;
    if printer.format() != Format::Json {
        printer.show(release, &release_table(std::slice::from_ref(release)))?;
    }
    let Release { project, label, .. } = release;
    let fail = |exit, what: &str| {
        Err(CliError::Outcome {
            exit,
            what: format!("the build of {project} {label} {what}"),
            why: release.failure.clone(),
            help: release.job.map(|job| format!("pointsman logs --job {job}")),
        })
    };
    match release.state {
        ReleaseState::Built | ReleaseState::Pruned => {
            printer.step(Tone::Good, "Built", &format!("{project} {label}"));
            Ok(Exit::Ok)
        }
        ReleaseState::Failed => fail(Exit::Failed, "failed"),
        ReleaseState::Cancelled => fail(Exit::Cancelled, "was cancelled"),
        ReleaseState::Queued | ReleaseState::Building => fail(Exit::TimedOut, "goes on"),
    }
}

/// The first digits of a commit, as git shows them.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
