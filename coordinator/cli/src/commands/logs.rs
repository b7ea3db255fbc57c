//! `logs`: the logs of a deployment's hosts, a build or a job, merged by time.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::Job;
use tokio::time::Instant;

use super::deployments::newest;
use crate::args::{LogSubject, Logs};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::follow::{LogLine, LogMerge, Look, Streamed, Waiter, Wake};
use crate::printer::{Format, Printer, Tone};
use crate::session::Session;

/// Log chunks make no events, so logs are asked for at this pace.
const POLL: Duration = Duration::from_secs(1);
/// The last lines may come after the result; they are waited for no longer.
const LAST_LINES: Duration = Duration::from_secs(10);

/// Whose logs.
#[derive(Debug, Clone, Copy)]
enum Subject {
    Deployment(i64),
    Job(i64),
}

/// Shows logs, with `-f` until nothing more will come.
pub async fn logs(session: &Session, args: Logs) -> Result<Exit, CliError> {
    let client = session.client()?;
    let waiter = if args.follow {
        Some(Waiter::subscribe(session, &client).await?)
    } else {
        None
    };
    let subject = subject(&client, &args).await?;
    let mut reader = Reader {
        client: &client,
        subject,
        merge: LogMerge::default(),
        sieve: Sieve::new(session, &args, subject),
        host: args.host.as_ref().map(ToString::to_string),
    };
    let is_over = reader.read().await?;
    reader.sieve.let_go()?;
    if let Some(waiter) = waiter {
        return follow(session, reader, waiter, is_over).await;
    }
    reader.sieve.say_if_empty(&session.printer, is_over);
    Ok(Exit::Ok)
}

async fn follow(
    session: &Session,
    mut reader: Reader<'_>,
    mut waiter: Waiter,
    is_over: bool,
) -> Result<Exit, CliError> {
    let mut over_since = is_over.then(Instant::now);
    loop {
        if let Some(since) = over_since
            && (reader.merge.is_complete() || since.elapsed() > LAST_LINES)
        {
            for missing in reader.merge.missing() {
                session.printer.warn(&format!("the log is not whole, {missing}"));
            }
            return Ok(Exit::Ok);
        }
        let words = reader.subject.words();
        match waiter.wait(POLL, |_| Ok(false)).await? {
            Wake::Look => {
                let read = reader.read().await;
                if waiter.bear(read)? == Some(true) {
                    over_since.get_or_insert_with(Instant::now);
                }
            }
            Wake::Interrupted if over_since.is_some() => return Ok(Exit::Interrupted),
            Wake::Interrupted => {
                session
                    .printer
                    .say(Tone::Warning, "Detached", &format!("{words} goes on"));
                return Ok(Exit::Interrupted);
            }
            Wake::TimedOut => return Err(waiter.time_is_up(&words, &reader.subject.command())),
        }
    }
}

async fn subject(client: &Client, args: &Logs) -> Result<Subject, CliError> {
    if let Some(job) = args.job {
        return Ok(Subject::Job(job));
    }
    match (&args.subject, &args.release) {
        (Some(LogSubject::Deployment(number)), None) => Ok(Subject::Deployment(*number)),
        (Some(LogSubject::Target(target)), None) => newest(client, target).await.map(Subject::Deployment),
        (Some(LogSubject::Project(project)), release) => {
            let release = match release {
                Some(spec) => Some(client.release(project, spec).await?),
                None => client.releases(project, 1).await?.items.into_iter().next(),
            };
            release
                .and_then(|release| release.job)
                .map(Subject::Job)
                .ok_or_else(|| CliError::Outcome {
                    exit: Exit::NotFound,
                    what: format!("{project} has no build that has a log"),
                    why: None,
                    help: Some(format!("pointsman build {project} --follow")),
                })
        }
        (Some(LogSubject::Deployment(_) | LogSubject::Target(_)) | None, _) => Err(CliError::usage(
            "a release belongs to a project",
            "pointsman logs shop 1.9.1, pointsman logs shop@production, or pointsman logs 812",
        )),
    }
}

impl Subject {
    fn words(self) -> String {
        match self {
            Self::Deployment(number) => format!("deployment #{number}"),
            Self::Job(number) => format!("job #{number}"),
        }
    }

    fn command(self) -> String {
        match self {
            Self::Deployment(number) => format!("pointsman logs -f {number}"),
            Self::Job(number) => format!("pointsman logs -f --job {number}"),
        }
    }
}

/// Reads whatever is new.
struct Reader<'a> {
    client: &'a Client,
    subject: Subject,
    merge: LogMerge,
    sieve: Sieve<'a>,
    host: Option<String>,
}

impl Reader<'_> {
    /// Gives new lines to the sieve; says whether the work was over before they were read.
    async fn read(&mut self) -> Result<bool, CliError> {
        let (jobs, is_over) = self.jobs().await?;
        let host = self.host.as_deref();
        let ours = |job: &&Job| host.is_none() || job.host.as_ref().map(AsRef::as_ref) == host;
        self.merge.track(jobs.iter().filter(ours));
        let sieve = &mut self.sieve;
        self.merge.drain(self.client, |line| sieve.take(line)).await?;
        Ok(is_over)
    }

    async fn jobs(&self) -> Result<(Vec<Job>, bool), CliError> {
        match self.subject {
            Subject::Job(number) => {
                let job = self.client.job(number).await?;
                let is_over = job.state.is_final();
                Ok((vec![job], is_over))
            }
            Subject::Deployment(number) => {
                // The state first: jobs made after it was final do not exist.
                let is_over = self.client.deployment(number).await?.state.is_final();
                let jobs = self.client.jobs(None, Some(number), usize::MAX).await?.items;
                let is_over = is_over && jobs.iter().all(|job| job.state.is_final());
                Ok((jobs, is_over))
            }
        }
    }
}

/// Keeps what was asked for: younger than, containing, the last so many.
struct Sieve<'a> {
    printer: &'a Printer,
    look: Look,
    since: Option<DateTime<Utc>>,
    containing: Option<String>,
    /// Lines held back until all are known; none once they were let go.
    held: Option<(usize, VecDeque<LogLine>)>,
    shown: u64,
}

impl<'a> Sieve<'a> {
    fn new(session: &'a Session, args: &Logs, subject: Subject) -> Self {
        let since = args
            .since
            .and_then(|since| chrono::TimeDelta::from_std(since).ok())
            .map(|since| session.clock.now() - since);
        Self {
            printer: &session.printer,
            look: Look {
                format: session.printer.format(),
                terminal: session.printer.shows_on_terminal(),
                hosts: matches!(subject, Subject::Deployment(_)),
                times: args.times,
            },
            since,
            containing: args.grep.clone(),
            held: args.lines.map(|most| (most, VecDeque::new())),
            shown: 0,
        }
    }

    fn take(&mut self, line: LogLine) -> Result<(), CliError> {
        let too_old = self.since.is_some_and(|since| line.at < since);
        let other = self
            .containing
            .as_ref()
            .is_some_and(|text| !line.text.contains(text.as_str()));
        if too_old || other {
            return Ok(());
        }
        match &mut self.held {
            None => self.show(&line),
            Some((most, held)) => {
                held.push_back(line);
                if held.len() > *most {
                    held.pop_front();
                }
                Ok(())
            }
        }
    }

    fn let_go(&mut self) -> Result<(), CliError> {
        for line in self.held.take().map(|(_, lines)| lines).unwrap_or_default() {
            self.show(&line)?;
        }
        Ok(())
    }

    fn show(&mut self, line: &LogLine) -> Result<(), CliError> {
        self.shown += 1;
        if self.look.format == Format::Json {
            return self.printer.stream(&Streamed::Line(line));
        }
        self.printer.line(&line.shown(self.look))
    }

    fn say_if_empty(&self, printer: &Printer, is_over: bool) {
        if self.shown == 0 && self.look.format == Format::Table {
            printer.note(if is_over {
                "no such lines"
            } else {
                "no such lines yet; -f waits for them"
            });
        }
    }
}
