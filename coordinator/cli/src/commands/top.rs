//! `top`: what is under way, redrawn each second until `q` or Ctrl-C; without a terminal one look.
//!
//! It only reads, and never more than the screen can hold.

mod view;

use std::time::Duration;

use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::api::fleet::Host;
use pointsman_shared::api::jobs::{Job, JobState};
use pointsman_shared::api::locks::Lock;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::keys::Keys;
use crate::printer::{Format, Screen};
use crate::session::Session;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// Things of one kind that are looked at.
const MOST: usize = 50;
/// Running jobs whose step is asked for, each with a request of its own.
const MOST_STEPS: usize = 12;

/// One look.
#[derive(Debug, Serialize)]
pub struct Look {
    /// Deployments that are open.
    deployments: Vec<Deployment>,
    /// Jobs that agents work on.
    running: Vec<Job>,
    /// Jobs that wait for something.
    waiting: Vec<Job>,
    /// Hosts that are not well.
    hosts: Vec<Host>,
    /// Hosts in all.
    members: usize,
    /// What is locked, or the stop.
    locks: Vec<Lock>,
}

/// Looks on.
pub async fn top(session: &Session) -> Result<Exit, CliError> {
    let client = session.client()?;
    let printer = &session.printer;
    let Some(keys) =
        Keys::of_terminal().filter(|_| printer.format() == Format::Table && printer.shows_on_terminal())
    else {
        let look = look(&client).await?;
        match printer.format() {
            Format::Table => {
                printer.line(view::frame(&look, printer.width(), session.clock.now()).trim_end())?;
            }
            Format::Json | Format::Plain => printer.show(&look, &view::table(&look))?,
        }
        return Ok(Exit::Ok);
    };
    live(session, &client, keys).await
}

async fn live(session: &Session, client: &Client, mut keys: Keys) -> Result<Exit, CliError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|source| CliError::Io {
        what: "listen for Ctrl-C",
        source,
    })?;
    let deadline = session
        .options
        .timeout
        .map(|timeout| tokio::time::Instant::now() + timeout);
    // Asked before the screen is taken: a refusal stands on the usual one.
    let mut newest = look(client).await?;
    let mut screen = Screen::take();
    let mut trouble = String::new();
    loop {
        screen.draw(|width| {
            let frame = view::frame(&newest, Some(width), session.clock.now());
            format!("{}\n{trouble}{frame}", view::title(client.base(), &newest))
        })?;
        let time_is_up = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => return Ok(Exit::Ok),
            () = keys.leaves() => return Ok(Exit::Ok),
            () = time_is_up => return Ok(Exit::Ok),
            () = tokio::time::sleep(PAUSE) => {}
        }
        match look(client).await {
            Ok(look) => {
                newest = look;
                trouble.clear();
            }
            Err(error) if error.is_passing() => trouble = format!("{error}; this is how it was\n"),
            Err(error) => return Err(error),
        }
    }
}

async fn look(client: &Client) -> Result<Look, CliError> {
    let targets = client.status().await?;
    let mut deployments = Vec::new();
    for number in targets
        .iter()
        .filter_map(|target| target.open_deployment)
        .take(MOST)
    {
        deployments.push(client.deployment(number).await?);
    }
    let mut running = client.jobs(Some(JobState::Running), None, MOST).await?.items;
    // A list leaves the steps out.
    for job in running.iter_mut().take(MOST_STEPS) {
        job.steps = client.job(job.number).await?.steps;
    }
    let mut waiting = Vec::new();
    for state in [
        JobState::Indeterminate,
        JobState::Offered,
        JobState::Queued,
        JobState::Deferred,
    ] {
        waiting.extend(client.jobs(Some(state), None, MOST).await?.items);
    }
    let mut hosts = client.hosts(usize::MAX).await?.items;
    hosts.retain(|host| host.revoked_at.is_none() && host.joined_at.is_some());
    let members = hosts.len();
    hosts.retain(|host| !host.seen || !host.problems.is_empty());
    Ok(Look {
        deployments,
        running,
        waiting,
        hosts,
        members,
        locks: client.locks().await?,
    })
}
