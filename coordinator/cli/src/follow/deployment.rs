//! Follows a deployment to its end and says how it ended.

use std::time::Duration;

use pointsman_shared::api::deployments::{CancelRequest, Deployment, DeploymentState};
use pointsman_shared::api::events::Event;
use tokio::time::Instant;

use super::changes::{self, Step};
use super::ending::Goal;
use super::{Streamed, Waiter, Wake, ending};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Live, Printer, Tone};
use crate::session::Session;
use crate::{text, wording};

/// The net below events.
const POLL: Duration = Duration::from_secs(2);
/// A pause counts once it lasted: a policy that rolls back may pass through it.
const PAUSE_SETTLES: Duration = Duration::from_secs(2);

/// Follows `first` to its end. Results go to stdout, an end that is not the goal is an error.
pub async fn deployment(
    session: &Session,
    client: &Client,
    mut waiter: Waiter,
    first: Deployment,
    goal: Goal,
) -> Result<Exit, CliError> {
    let mut screen = Screen {
        printer: &session.printer,
        live: session.printer.live(),
        shown: None,
    };
    session.printer.stream(&Streamed::Deployment(&first))?;
    let mut paused_since: Option<Instant> = None;
    let mut current = first;
    loop {
        screen.show(&current);
        if current.state.is_final() {
            drop(screen);
            return ending::end(&session.printer, &current, goal);
        }
        let is_paused = current.state == DeploymentState::Paused;
        paused_since = is_paused.then(|| paused_since.unwrap_or_else(Instant::now));
        if goal != Goal::End && paused_since.is_some_and(|since| since.elapsed() >= PAUSE_SETTLES) {
            drop(screen);
            return ending::paused(&session.printer, &current);
        }
        let number = current.number;
        match waiter
            .wait(POLL, |event| matters(&session.printer, &current, event))
            .await?
        {
            Wake::Look => {
                if let Some(read) = waiter.bear(client.deployment(number).await)? {
                    current = read;
                }
            }
            Wake::Interrupted => {
                drop(screen);
                return let_go(session, client, &current).await;
            }
            Wake::TimedOut => {
                drop(screen);
                return Err(waiter.time_is_up(
                    &format!("deployment #{number}"),
                    &format!("pointsman watch {number}"),
                ));
            }
        }
    }
}

/// Whether an event is about this deployment; streams those that are.
fn matters(printer: &Printer, deployment: &Deployment, event: &Event) -> Result<bool, CliError> {
    if event.deployment == Some(deployment.number) {
        printer.stream(&Streamed::Event(event))?;
        return Ok(true);
    }
    Ok(event.target.as_deref() == Some(deployment.target.to_string().as_str()))
}

/// What is on the screen: lines that stay, and the area that is redrawn.
struct Screen<'a> {
    printer: &'a Printer,
    live: Live,
    shown: Option<Deployment>,
}

impl Screen<'_> {
    fn show(&mut self, deployment: &Deployment) {
        let every_host = !self.printer.talks_to_terminal();
        for Step { tone, verb, sentence } in changes::steps(self.shown.as_ref(), deployment, every_host) {
            self.printer.step(tone, &verb, &sentence);
        }
        let (done, all) = changes::progress(deployment);
        let verb = wording::deployment_verb(deployment.state);
        let mut sentence = changes::sentence(deployment);
        if !sentence.ends_with("hosts") {
            sentence = format!("{sentence} {}", ending::counted(done, all));
        }
        if let Some(left) = deployment.left {
            let time = |milliseconds| text::duration(Duration::from_millis(milliseconds));
            sentence = format!("{} ~{} left", sentence.trim(), time(left.median_ms));
        } else if let Some(overdue) = deployment.overdue {
            sentence = format!("{} longer than any of the last {}", sentence.trim(), overdue.runs);
        }
        self.live
            .draw(verb, done, all, sentence.trim(), &changes::live_lines(deployment));
        self.shown = Some(deployment.clone());
    }
}

/// Ctrl-C: inside the hold nothing was published yet, so it is a true cancel; later it only lets go.
async fn let_go(session: &Session, client: &Client, deployment: &Deployment) -> Result<Exit, CliError> {
    let number = deployment.number;
    if deployment.state == DeploymentState::Held {
        let reason = session
            .options
            .reason
            .clone()
            .or_else(|| Some("Ctrl-C while held".to_owned()));
        client
            .cancel_deployment(number, &CancelRequest { reason })
            .await?;
        session.printer.say(
            Tone::Warning,
            "Cancelled",
            &format!("deployment #{number} before anything was published"),
        );
        return Ok(Exit::Interrupted);
    }
    let sentence = format!(
        "deployment #{number} goes on; `pointsman watch {number}`, stop it with `pointsman cancel {number}`"
    );
    session.printer.say(Tone::Warning, "Detached", &sentence);
    Ok(Exit::Interrupted)
}
