//! The words and tones of states, the same in every table, line and message.

use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::api::fleet::Severity;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::{OnFailure, WhenBusy};
use pointsman_shared::api::releases::ReleaseState;

use crate::printer::Tone;
use crate::table::Cell;

/// A deployment's state as a verb before a sentence.
pub const fn deployment_verb(state: DeploymentState) -> &'static str {
    match state {
        DeploymentState::Waiting => "Waiting",
        DeploymentState::Held => "Held",
        DeploymentState::Building => "Building",
        DeploymentState::Installing => "Installing",
        DeploymentState::Migrating => "Migrating",
        DeploymentState::Switching => "Switching",
        DeploymentState::Verifying => "Verifying",
        DeploymentState::Paused => "Paused",
        DeploymentState::RollingBack => "Rolling back",
        DeploymentState::Cancelling => "Cancelling",
        DeploymentState::Live => "Live",
        DeploymentState::Failed => "Failed",
        DeploymentState::Cancelled => "Cancelled",
        DeploymentState::RolledBack => "Rolled back",
        DeploymentState::Superseded => "Superseded",
        DeploymentState::Abandoned => "Abandoned",
    }
}

/// The same inside a sentence.
pub const fn deployment_word(state: DeploymentState) -> &'static str {
    match state {
        DeploymentState::Waiting => "waiting",
        DeploymentState::Held => "held",
        DeploymentState::Building => "building",
        DeploymentState::Installing => "installing",
        DeploymentState::Migrating => "migrating",
        DeploymentState::Switching => "switching",
        DeploymentState::Verifying => "verifying",
        DeploymentState::Paused => "paused",
        DeploymentState::RollingBack => "rolling back",
        DeploymentState::Cancelling => "cancelling",
        DeploymentState::Live => "live",
        DeploymentState::Failed => "failed",
        DeploymentState::Cancelled => "cancelled",
        DeploymentState::RolledBack => "rolled back",
        DeploymentState::Superseded => "superseded",
        DeploymentState::Abandoned => "abandoned",
    }
}

/// What a person may do about a deployment that waits for one, as the coordinator says; one that is older does not say.
pub fn ways_out(deployment: &Deployment) -> String {
    let Deployment { number, ways_out, .. } = deployment;
    if ways_out.is_empty() {
        return format!("pointsman decide {number} continue | pointsman cancel {number}");
    }
    ways_out.join(" | ")
}

/// Each text once, behind the hosts it holds of: `web1, web2: disk full` is told as one.
pub fn told_once(told: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut once: Vec<(String, String)> = Vec::new();
    for (host, text) in told {
        match once.iter_mut().find(|(_, known)| *known == text) {
            Some((hosts, _)) => {
                hosts.push_str(", ");
                hosts.push_str(&host);
            }
            None => once.push((host, text)),
        }
    }
    once
}

/// How a deployment's state feels.
pub const fn deployment_tone(state: DeploymentState) -> Tone {
    match state {
        DeploymentState::Building
        | DeploymentState::Installing
        | DeploymentState::Migrating
        | DeploymentState::Switching
        | DeploymentState::Verifying => Tone::Busy,
        DeploymentState::Live => Tone::Good,
        DeploymentState::Waiting
        | DeploymentState::Held
        | DeploymentState::Paused
        | DeploymentState::RollingBack
        | DeploymentState::Cancelling
        | DeploymentState::RolledBack => Tone::Warning,
        DeploymentState::Cancelled | DeploymentState::Superseded => Tone::Faint,
        DeploymentState::Failed | DeploymentState::Abandoned => Tone::Bad,
    }
}

/// How a host's part in a deployment feels; the words are the coordinator's.
pub fn host_tone(state: &str) -> Tone {
    match state {
        "live" => Tone::Good,
        "installing" | "installed" | "switching" => Tone::Busy,
        "deferred" | "rolling_back" | "rolled_back" | "cancelling" => Tone::Warning,
        "failed" | "unknown" => Tone::Bad,
        "waiting" | "skipped" | "cancelled" => Tone::Faint,
        _ => Tone::Plain,
    }
}

/// A job's state as a field.
pub fn job_state(state: JobState) -> Cell {
    let tone = match state {
        JobState::Queued | JobState::Offered => Tone::Plain,
        JobState::Running => Tone::Busy,
        JobState::Deferred | JobState::Indeterminate => Tone::Warning,
        JobState::Succeeded => Tone::Good,
        JobState::Failed | JobState::Abandoned => Tone::Bad,
        JobState::Cancelled | JobState::Superseded => Tone::Faint,
    };
    Cell::Toned(tone, state.as_str().to_owned())
}

/// A deployment's state as a field.
pub fn deployment_state(state: DeploymentState) -> Cell {
    Cell::Toned(deployment_tone(state), deployment_word(state).to_owned())
}

/// A release's state as a field.
pub fn release_state(state: ReleaseState) -> Cell {
    let (tone, word) = match state {
        ReleaseState::Queued => (Tone::Plain, "queued"),
        ReleaseState::Building => (Tone::Busy, "building"),
        ReleaseState::Built => (Tone::Good, "built"),
        ReleaseState::Failed => (Tone::Bad, "failed"),
        ReleaseState::Cancelled => (Tone::Faint, "cancelled"),
        ReleaseState::Pruned => (Tone::Faint, "pruned"),
    };
    Cell::Toned(tone, word.to_owned())
}

/// A finding's gravity.
pub const fn severity(severity: Severity) -> (Tone, &'static str) {
    match severity {
        Severity::Ok => (Tone::Good, "ok"),
        Severity::Warn => (Tone::Warning, "warn"),
        Severity::Fail => (Tone::Bad, "fail"),
    }
}

/// A policy while another deployment is open.
pub const fn when_busy(policy: WhenBusy) -> &'static str {
    match policy {
        WhenBusy::Queue => "queue",
        WhenBusy::Supersede => "supersede",
        WhenBusy::Refuse => "refuse",
    }
}

/// A policy on failure.
pub const fn on_failure(policy: OnFailure) -> &'static str {
    match policy {
        OnFailure::Hold => "hold",
        OnFailure::Rollback => "rollback",
        OnFailure::Continue => "continue",
    }
}
