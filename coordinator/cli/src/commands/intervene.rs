//! `pause`, `retry` and `skip`: what a person says while a deployment goes over its hosts.

use pointsman_shared::api::deployments::{Deployment, HostsRequest, PauseRequest};
use pointsman_shared::name::HostId;

use super::deploy::subscribe;
use super::deployments::deployment_hosts;
use crate::args::{Pause, Retry, Skip};
use crate::error::CliError;
use crate::exit::Exit;
use crate::follow::{self, Goal};
use crate::printer::Tone;
use crate::session::Session;

/// Lets a deployment wait before its next wave.
pub async fn pause(session: &Session, args: Pause) -> Result<Exit, CliError> {
    let number = args.deployment;
    let wish = PauseRequest {
        reason: session.options.reason.clone(),
    };
    let deployment = session.client()?.pause(number, &wish).await?;
    let printer = &session.printer;
    let sentence = format!("deployment #{number} before its next wave; the one under way goes on");
    printer.say(Tone::Good, "Pausing", &sentence);
    printer.undo(&format!("pointsman resume {number}"));
    printer.show(&deployment, &deployment_hosts(&deployment))?;
    Ok(Exit::Ok)
}

/// Has hosts that failed tried again.
pub async fn retry(session: &Session, args: Retry) -> Result<Exit, CliError> {
    let client = session.client()?;
    let waiter = subscribe(session, &client, args.follow).await?;
    let deployment = client.retry(args.deployment, &wish(session, &args.hosts)).await?;
    let what = match args.hosts.as_slice() {
        [] => "every host that failed".to_owned(),
        hosts => names(hosts),
    };
    said(
        session,
        "Retrying",
        &format!("{what} in deployment #{}", args.deployment),
    );
    let undo = format!("pointsman cancel {}", args.deployment);
    match waiter {
        Some(waiter) => follow::deployment(session, &client, waiter, deployment, Goal::Live).await,
        None => show(session, &deployment, &undo),
    }
}

/// Leaves hosts out.
pub async fn skip(session: &Session, args: Skip) -> Result<Exit, CliError> {
    let client = session.client()?;
    let waiter = subscribe(session, &client, args.follow).await?;
    let deployment = client.skip(args.deployment, &wish(session, &args.hosts)).await?;
    let what = format!("{} in deployment #{}", names(&args.hosts), args.deployment);
    said(session, "Skipping", &what);
    let note = "what did not fail there is brought up by itself once the deployment is live; what failed needs a new one";
    session.printer.note(note);
    let undo = format!("pointsman deploy {} {}", deployment.target, deployment.release);
    match waiter {
        Some(waiter) => follow::deployment(session, &client, waiter, deployment, Goal::Live).await,
        None => show(session, &deployment, &undo),
    }
}

fn wish(session: &Session, hosts: &[HostId]) -> HostsRequest {
    HostsRequest {
        hosts: hosts.to_vec(),
        reason: session.options.reason.clone(),
    }
}

fn names(hosts: &[HostId]) -> String {
    hosts
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn said(session: &Session, verb: &str, sentence: &str) {
    session.printer.step(Tone::Good, verb, sentence);
}

fn show(session: &Session, deployment: &Deployment, undo: &str) -> Result<Exit, CliError> {
    session.printer.undo(undo);
    session.printer.show(deployment, &deployment_hosts(deployment))?;
    Ok(Exit::Ok)
}
