//! Follows a build: its log as it is written, then how it ended.

use std::time::Duration;

use pointsman_shared::api::releases::{Release, ReleaseState};
use tokio::time::Instant;

use super::{LogLine, LogMerge, Look, Streamed, Waiter, Wake};
use crate::client::Client;
use crate::commands::release_table;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Printer, Tone};
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
    let mut live = printer.live();
    let mut log = LogMerge::default();
    let mut over_since: Option<Instant> = None;
    let mut said: Option<ReleaseState> = None;
    let mut current = first;
    loop {
        if said.replace(current.state) != Some(current.state) {
            say_state(printer, &current);
        }
        live.draw(
            "Building",
            0,
            0,
            &format!("{} {}", current.project, current.label),
            &[],
        );
        if let Some(number) = current.job {
            let drained = drain(client, &mut log, number, printer).await;
            waiter.bear(drained)?;
        }
        let is_over = !matches!(current.state, ReleaseState::Queued | ReleaseState::Building);
        if is_over {
            let since = *over_since.get_or_insert_with(Instant::now);
            if log.is_complete() || since.elapsed() > LAST_LINES {
                drop(live);
                return end(printer, &log, &current);
            }
        }
        let (project, number, job) = (current.project.clone(), current.number, current.job);
        let wake = waiter
            .wait(POLL, |event| {
                let ours = job.is_some() && event.job == job;
                if ours {
                    printer.stream(&Streamed::Event(event))?;
                }
                Ok(ours)
            })
            .await?;
        match wake {
            Wake::Look => {
                let read = client.release(&project, &format!("#{number}")).await;
                current = waiter.bear(read)?.unwrap_or(current);
            }
            Wake::Interrupted => {
                drop(live);
                printer.say(Tone::Warning, "Detached", &goes_on(&current));
                return Ok(Exit::Interrupted);
            }
            Wake::TimedOut => {
                drop(live);
                let subject = format!("the build of {} {}", current.project, current.label);
                return Err(waiter.time_is_up(&subject, &format!("pointsman logs -f {project} '#{number}'")));
            }
        }
    }
}

fn say_state(printer: &Printer, release: &Release) {
    let words = format!(
        "{} {} at {}",
        release.project,
        release.label,
        short(&release.commit)
    );
    match release.state {
        ReleaseState::Queued => printer.step(Tone::Plain, "Queued", &words),
        ReleaseState::Building => printer.step(Tone::Busy, "Building", &words),
        // How it ended is told at the end, after its log.
        ReleaseState::Built | ReleaseState::Failed | ReleaseState::Cancelled | ReleaseState::Pruned => {}
    }
}

async fn drain(client: &Client, log: &mut LogMerge, job: i64, printer: &Printer) -> Result<(), CliError> {
    let job = client.job(job).await?;
    log.track([&job]);
    let look = Look {
        format: Format::Table,
        terminal: printer.talks_to_terminal(),
        hosts: false,
        times: false,
    };
    log.drain(client, |line: LogLine| {
        if printer.format() == Format::Json {
            return printer.stream(&Streamed::Line(&line));
        }
        printer.progress_line(&line.shown(look));
        Ok(())
    })
    .await
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

fn end(printer: &Printer, log: &LogMerge, release: &Release) -> Result<Exit, CliError> {
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
