//! How a followed deployment ended: in words, with its hosts, its exit code, and the command that takes it back.

use chrono::{DateTime, Utc};
use pointsman_shared::api::deployments::{Deployment, DeploymentState, HostProgress};

use super::{Streamed, changes};
use crate::commands::deployment_hosts;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Printer, Tone};
use crate::text;
use crate::wording;

/// What the user waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The release is live; a deployment that pauses for a person ends the wait.
    Live,
    /// The target is back at an older release; a pause ends the wait.
    RolledBack,
    /// The end, whatever it is; a pause is waited through, since someone else may decide.
    End,
}

/// A pause for a person ends the wait of whoever has a goal: the next word is theirs.
pub fn paused(printer: &Printer, deployment: &Deployment) -> Result<Exit, CliError> {
    printer.stream(&Streamed::Deployment(deployment))?;
    show_hosts(printer, deployment)?;
    let number = deployment.number;
    Err(CliError::Outcome {
        exit: Exit::Failed,
        what: format!("deployment #{number} is paused and waits for a decision"),
        why: why(deployment),
        help: Some(format!(
            "{} | pointsman logs {number}",
            wording::ways_out(deployment)
        )),
    })
}

/// Says how it ended; an end that is not the goal is an error.
pub fn end(printer: &Printer, deployment: &Deployment, goal: Goal) -> Result<Exit, CliError> {
    printer.stream(&Streamed::Deployment(deployment))?;
    show_hosts(printer, deployment)?;
    let Some(sentence) = goal_reached(deployment, goal) else {
        return Err(miss(deployment, goal));
    };
    let verb = wording::deployment_verb(deployment.state);
    printer.step(Tone::Good, verb, &sentence);
    printer.undo(&undo(deployment));
    Ok(Exit::Ok)
}

/// What to say where the end is what was wished for.
fn goal_reached(deployment: &Deployment, goal: Goal) -> Option<String> {
    let Deployment {
        target,
        release,
        from,
        kind,
        ..
    } = deployment;
    let missed_rollback = goal == Goal::RolledBack && kind == "deploy";
    if deployment.state == DeploymentState::Live && !missed_rollback {
        return Some(live_sentence(deployment));
    }
    if deployment.state == DeploymentState::RolledBack && goal == Goal::RolledBack {
        let back = from.as_ref().map_or("nothing".to_owned(), ToString::to_string);
        return Some(format!("{target} {release} -> {back}{}", took(deployment)));
    }
    None
}

/// The error where it is not.
fn miss(deployment: &Deployment, goal: Goal) -> CliError {
    let Deployment {
        number, target, from, ..
    } = deployment;
    let logs = format!("pointsman logs {number}; pointsman status {target}");
    let (exit, what, help) = match deployment.state {
        DeploymentState::Live if goal == Goal::RolledBack => (
            Exit::Failed,
            "was live before it could be rolled back".to_owned(),
            format!("pointsman rollback {target}"),
        ),
        DeploymentState::RolledBack => {
            let back = from
                .as_ref()
                .map_or(String::new(), |from| format!("; {target} runs {from}"));
            (
                Exit::RolledBack,
                format!("failed and was rolled back{back}"),
                logs,
            )
        }
        DeploymentState::Cancelled => (
            Exit::Cancelled,
            "was cancelled".to_owned(),
            after_cancel(deployment),
        ),
        DeploymentState::Superseded => (
            Exit::Cancelled,
            "was superseded by a newer wish".to_owned(),
            format!("pointsman watch {target}"),
        ),
        DeploymentState::Abandoned => (
            Exit::Failed,
            "was given up; its effect is unknown".to_owned(),
            format!("pointsman status {target}"),
        ),
        DeploymentState::Failed => (Exit::Failed, "failed".to_owned(), logs),
        DeploymentState::Live
        | DeploymentState::Waiting
        | DeploymentState::Held
        | DeploymentState::Building
        | DeploymentState::Installing
        | DeploymentState::Migrating
        | DeploymentState::Switching
        | DeploymentState::Verifying
        | DeploymentState::Paused
        | DeploymentState::RollingBack
        | DeploymentState::Cancelling => (
            Exit::TimedOut,
            "goes on".to_owned(),
            format!("pointsman watch {number}"),
        ),
    };
    CliError::Outcome {
        exit,
        what: format!("deployment #{number} {what}"),
        why: why(deployment),
        help: Some(help),
    }
}

/// What to do after a cancel: a release that hosts were switched to stays there until somebody goes back.
pub fn after_cancel(deployment: &Deployment) -> String {
    let Deployment { target, release, .. } = deployment;
    let again = format!("pointsman deploy {target} {release}");
    let touched = |host: &&HostProgress| matches!(host.state.as_str(), "live" | "failed" | "unknown");
    let touched: Vec<_> = deployment
        .hosts
        .iter()
        .filter(touched)
        .map(|host| host.host.as_str())
        .collect();
    if touched.is_empty() {
        return again;
    }
    if deployment.from.is_none() {
        return format!(
            "{release} may be live on {}: pointsman status {target}; nothing was live before; again: {again}",
            touched.join(", ")
        );
    }
    format!(
        "{release} may be live on {}: pointsman status {target}; back: pointsman rollback {target}; forth: {again}",
        touched.join(", ")
    )
}

/// The command that takes a finished deployment back.
fn undo(deployment: &Deployment) -> String {
    let Deployment {
        target,
        release,
        from,
        kind,
        ..
    } = deployment;
    if deployment.state != DeploymentState::Live {
        return format!("pointsman deploy {target} {release}");
    }
    let verb = if kind == "rollback" { "deploy" } else { "rollback" };
    match from {
        None => "none: nothing was live here before".to_owned(),
        Some(from) if from == release => format!("none: {release} was live here before, too"),
        Some(from) => format!("pointsman {verb} {target} {from}"),
    }
}

fn live_sentence(deployment: &Deployment) -> String {
    let Deployment { target, release, .. } = deployment;
    let (done, all) = changes::progress(deployment);
    let rest = changes::beyond_state(deployment);
    let where_to = if rest.is_empty() {
        format!("on {}", counted(done, all))
    } else {
        rest.to_owned()
    };
    format!("{target} {release} {where_to}{}", took(deployment))
}

fn took(deployment: &Deployment) -> String {
    let length = |began: DateTime<Utc>| (deployment.ended_at? - began).to_std().ok();
    let began = deployment.started_at.unwrap_or(deployment.requested_at);
    length(began).map_or(String::new(), |length| format!(" in {}", text::duration(length)))
}

fn why(deployment: &Deployment) -> Option<String> {
    deployment
        .reason
        .clone()
        .or_else(|| changes::troubles(deployment))
}

fn show_hosts(printer: &Printer, deployment: &Deployment) -> Result<(), CliError> {
    // Followed JSON has its own last line.
    if printer.format() == Format::Json {
        return Ok(());
    }
    printer.show(deployment, &deployment_hosts(deployment))
}

/// `2/3 hosts`
pub fn counted(done: usize, all: usize) -> String {
    if all == 0 {
        String::new()
    } else {
        format!("{done}/{all} hosts")
    }
}
