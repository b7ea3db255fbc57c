//! `decide`, `resume` and `cancel`: what a person says to work that is under way.

use pointsman_shared::api::deployments::{CancelRequest, Decision, DecisionRequest, DeploymentState};
use pointsman_shared::outcome::JobKind;

use super::deploy::subscribe;
use super::deployments::deployment_table;
use super::jobs::job_table;
use super::locks;
use crate::args::{Cancel, Decide, Follow, Resume};
use crate::error::CliError;
use crate::exit::Exit;
use crate::follow::{self, Goal};
use crate::printer::Tone;
use crate::session::Session;
use crate::wording;

/// Says what becomes of a deployment that holds.
pub async fn decide(session: &Session, args: Decide) -> Result<Exit, CliError> {
    answer(session, args.deployment, args.decision, args.follow).await
}

/// Lets it go on, or everything after a stop.
pub async fn resume(session: &Session, args: Resume) -> Result<Exit, CliError> {
    match args.deployment {
        Some(deployment) => answer(session, deployment, Decision::Continue, args.follow).await,
        None => locks::go_on(session).await,
    }
}

async fn answer(
    session: &Session,
    number: i64,
    decision: Decision,
    follow: Follow,
) -> Result<Exit, CliError> {
    let client = session.client()?;
    let waiter = subscribe(session, &client, follow).await?;
    let wish = DecisionRequest {
        decision,
        reason: session.options.reason.clone(),
    };
    client.decide(number, &wish).await?;
    let deployment = client.deployment(number).await?;
    let (goal, words, undo) = match decision {
        Decision::Rollback => (
            Goal::RolledBack,
            "rolls back",
            format!("pointsman deploy {} {}", deployment.target, deployment.release),
        ),
        Decision::Continue => (
            Goal::Live,
            "goes on",
            format!("pointsman rollback {}", deployment.target),
        ),
    };
    session
        .printer
        .step(Tone::Good, "Decided", &format!("deployment #{number} {words}"));
    if let Some(waiter) = waiter {
        return follow::deployment(session, &client, waiter, deployment, goal).await;
    }
    session.printer.undo(&undo);
    session
        .printer
        .show(&deployment, &deployment_table(std::slice::from_ref(&deployment)))?;
    Ok(Exit::Ok)
}

/// Cancels a deployment or a job.
pub async fn cancel(session: &Session, args: Cancel) -> Result<Exit, CliError> {
    match (args.deployment, args.job) {
        (Some(number), None) => cancel_deployment(session, number).await,
        (None, Some(number)) => cancel_job(session, number).await,
        (Some(_), Some(_)) | (None, None) => Err(CliError::usage(
            "cancel what?",
            "pointsman cancel NUMBER, or pointsman cancel --job NUMBER",
        )),
    }
}

async fn cancel_deployment(session: &Session, number: i64) -> Result<Exit, CliError> {
    let client = session.client()?;
    client.cancel_deployment(number, &request(session)).await?;
    let deployment = client.deployment(number).await?;
    let printer = &session.printer;
    let state = wording::deployment_word(deployment.state);
    let words = if deployment.state == DeploymentState::Cancelled {
        "is cancelled".to_owned()
    } else if deployment.state.is_final() {
        format!("was over before: {state}")
    } else {
        format!("is asked to stop ({state}); pointsman watch {number}")
    };
    printer.say(Tone::Good, "Cancelled", &format!("deployment #{number} {words}"));
    printer.undo(&follow::after_cancel(&deployment));
    printer.show(&deployment, &deployment_table(std::slice::from_ref(&deployment)))?;
    Ok(Exit::Ok)
}

/// Cancels a job; also `jobs cancel`.
pub async fn cancel_job(session: &Session, number: i64) -> Result<Exit, CliError> {
    let client = session.client()?;
    client.cancel_job(number, &request(session)).await?;
    let job = client.job(number).await?;
    let printer = &session.printer;
    let words = if job.state.is_final() {
        "is over"
    } else {
        "is asked to stop"
    };
    printer.say(
        Tone::Good,
        "Cancelled",
        &format!("job #{number} {words}: {}", job.state.as_str()),
    );
    printer.undo(&match (job.kind, &job.target, &job.release) {
        (JobKind::Build, _, _) => format!("pointsman build {} --ref REF", job.project),
        (_, Some(target), Some(release)) => format!("pointsman deploy {target} {release}"),
        (_, _, _) => "none: nothing was changed".to_owned(),
    });
    printer.show(&job, &job_table(std::slice::from_ref(&job)))?;
    Ok(Exit::Ok)
}

fn request(session: &Session) -> CancelRequest {
    CancelRequest {
        reason: session.options.reason.clone(),
    }
}
