//! What people are shown of a deployment, derived from the same facts that decide its next step.

use chrono::{DateTime, Utc};
use pointsman_shared::api::deployments::{DeploymentState, HostProgress};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::OnFailure;
use pointsman_shared::api::releases::ReleaseState;

use super::facts::{DeploymentOutcome, Ended, Facts, HostFacts, JobFacts, RollbackDecision};
use super::gate::Gate;
use super::standing::{Back, Forward};

/// A deployment's state, in one word, in a sentence, and host by host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// In one word.
    pub state: DeploymentState,
    /// `waiting behind #811`, `switching wave 2 of 3`, `live with 1 deferred: web-3`.
    pub summary: String,
    /// Why it holds, failed or waits.
    pub reason: Option<String>,
    /// Each host, by wave.
    pub hosts: Vec<HostProgress>,
}

/// Where the deployment is.
pub fn progress(facts: &Facts) -> Progress {
    let (state, summary, reason) = match &facts.ended {
        Some(ended) => ended_state(ended),
        None => open_state(facts),
    };
    let hosts = if facts.started_at.is_some() {
        facts
            .hosts
            .iter()
            .map(|host| host_progress(facts, host))
            .collect()
    } else {
        Vec::new()
    };
    Progress {
        state,
        summary,
        reason,
        hosts,
    }
}

/// How a deployment that is over came out, without what each host did.
pub fn outcome(ended: &Ended) -> Progress {
    let (state, summary, reason) = ended_state(ended);
    Progress {
        state,
        summary,
        reason,
        hosts: Vec::new(),
    }
}

fn ended_state(ended: &Ended) -> (DeploymentState, String, Option<String>) {
    let (state, word) = match ended.outcome {
        DeploymentOutcome::Live => {
            let summary = ended.detail.clone().unwrap_or_else(|| "live".to_owned());
            return (DeploymentState::Live, summary, None);
        }
        DeploymentOutcome::Failed => (DeploymentState::Failed, "failed"),
        DeploymentOutcome::Cancelled => (DeploymentState::Cancelled, "cancelled"),
        DeploymentOutcome::RolledBack => (DeploymentState::RolledBack, "rolled back"),
        DeploymentOutcome::Superseded => (DeploymentState::Superseded, "superseded"),
        DeploymentOutcome::Abandoned => (DeploymentState::Abandoned, "abandoned"),
    };
    (state, word.to_owned(), ended.detail.clone())
}

fn open_state(facts: &Facts) -> (DeploymentState, String, Option<String>) {
    let (state, summary, reason) = state_of(facts);
    let pausing = || {
        let goes_on = state != DeploymentState::Cancelling && state != DeploymentState::RollingBack;
        let wish = facts.pause_wish.as_ref().filter(|_| goes_on)?;
        Some(format!("{} wants it to pause before the next wave", wish.by))
    };
    (state, summary, reason.or_else(pausing))
}

fn state_of(facts: &Facts) -> (DeploymentState, String, Option<String>) {
    if facts.started_at.is_none() {
        return waiting_state(facts);
    }
    if let Some(cancel) = &facts.cancel {
        return (
            DeploymentState::Cancelling,
            format!("being cancelled by {}", cancel.by),
            cancel.reason.clone(),
        );
    }
    if let Some(paused) = &facts.paused {
        let back = facts.rollback.as_ref().map_or_else(String::new, |rollback| {
            format!(" on the way back to {}", rollback.to.label)
        });
        return (
            DeploymentState::Paused,
            format!("paused{back}: a person decides"),
            Some(paused.message.clone()),
        );
    }
    if let Some(rollback) = &facts.rollback {
        return rolling_back(facts, rollback);
    }
    match facts.release.state {
        ReleaseState::Queued | ReleaseState::Building => (
            DeploymentState::Building,
            format!("building {}", facts.release.label),
            None,
        ),
        ReleaseState::Built | ReleaseState::Failed | ReleaseState::Cancelled | ReleaseState::Pruned => {
            forward_state(facts)
        }
    }
}

fn waiting_state(facts: &Facts) -> (DeploymentState, String, Option<String>) {
    let behind = facts
        .behind
        .map(|number| format!("#{number} is open on the same target"));
    let reason = behind.or_else(|| facts.locked.clone());
    let at = |time: DateTime<Utc>| time.format("%F %T UTC").to_string();
    let (state, summary) = match (facts.scheduled_for, facts.behind, facts.held_until) {
        (Some(time), _, _) => (DeploymentState::Waiting, format!("scheduled for {}", at(time))),
        (None, Some(number), _) => (DeploymentState::Waiting, format!("waiting behind #{number}")),
        (None, None, Some(time)) => (DeploymentState::Held, format!("held until {}", at(time))),
        (None, None, None) if facts.locked.is_some() => {
            (DeploymentState::Waiting, "waiting behind a lock".to_owned())
        }
        (None, None, None) => (DeploymentState::Waiting, "about to start".to_owned()),
    };
    (state, summary, reason)
}

fn rolling_back(facts: &Facts, rollback: &RollbackDecision) -> (DeploymentState, String, Option<String>) {
    let standing: Vec<_> = facts
        .hosts
        .iter()
        .map(|host| facts.back(host, rollback.to.id, rollback.tries))
        .collect();
    let touched = standing
        .iter()
        .filter(|standing| !matches!(standing, Back::Untouched | Back::There))
        .count();
    let done = standing
        .iter()
        .filter(|standing| matches!(standing, Back::Done(_)))
        .count();
    let summary = format!("rolling back to {}: {done} of {touched} hosts", rollback.to.label);
    (
        DeploymentState::RollingBack,
        summary,
        Some(rollback.reason.clone()),
    )
}

fn forward_state(facts: &Facts) -> (DeploymentState, String, Option<String>) {
    let standing: Vec<_> = facts
        .hosts
        .iter()
        .map(|host| (host.wave, facts.forward(host)))
        .collect();
    if standing
        .iter()
        .any(|(_, at)| matches!(at, Forward::ToInstall | Forward::Installing(_)))
    {
        let done = standing.iter().filter(|(_, at)| at.is_installed()).count();
        let summary = format!("installing: {done} of {} hosts", standing.len());
        return (DeploymentState::Installing, summary, None);
    }
    if let Some(migrating) = migrating(facts) {
        return migrating;
    }
    let last = standing.iter().map(|(wave, _)| *wave).max().unwrap_or(1);
    // A failure beyond the allowance ends the waves: the next look decides what follows, and no later wave begins.
    let is_failing = facts.has_too_many_failures() && facts.strategy.on_failure != OnFailure::Continue;
    let is_here = |at: &Forward<'_>| {
        *at == Forward::Installed
            || at.open_switch().is_some()
            || (is_failing && matches!(at, Forward::SwitchFailed(_)))
    };
    let wave = standing
        .iter()
        .filter(|(_, at)| is_here(at))
        .map(|(wave, _)| *wave)
        .min()
        .unwrap_or(last);
    let mut open = standing.iter().filter_map(|(_, at)| at.open_switch()).peekable();
    if open.peek().is_some() && open.all(JobFacts::is_checking) {
        return (
            DeploymentState::Verifying,
            format!("checking wave {wave} of {last}"),
            None,
        );
    }
    (
        DeploymentState::Switching,
        format!("switching wave {wave} of {last}"),
        None,
    )
}

/// While the gate is closed nothing else goes on.
fn migrating(facts: &Facts) -> Option<(DeploymentState, String, Option<String>)> {
    let (summary, reason) = match facts.gate() {
        Gate::Open => return None,
        Gate::ToRun => ("about to apply pre-migrations".to_owned(), None),
        Gate::Running(job) if job.state == JobState::Indeterminate => {
            let summary = "nobody knows yet what the pre-migrations did".to_owned();
            (summary, job.reason.clone())
        }
        Gate::Running(job) => {
            let host = facts.hosts.iter().find(|host| host.placement == job.placement);
            let host = host.map_or("a host", |host| host.host.as_str());
            (format!("applying pre-migrations on {host}"), job.reason.clone())
        }
        Gate::Failed(job) => ("pre-migrations failed".to_owned(), job.reason.clone()),
    };
    Some((DeploymentState::Migrating, summary, reason))
}

impl JobFacts {
    /// Whether the host is switched and is being asked for its health.
    fn is_checking(&self) -> bool {
        self.step
            .as_deref()
            .is_some_and(|step| step.starts_with("health"))
    }
}

fn host_progress(facts: &Facts, host: &HostFacts) -> HostProgress {
    let (state, reason) = host_state(facts, host);
    let jobs = || facts.jobs.iter().filter(|job| job.placement == host.placement);
    let begun = jobs().filter_map(|job| job.started_at).min();
    let ended = jobs().filter_map(|job| job.ended_at).max();
    let duration_ms = begun
        .zip(ended)
        .and_then(|(begun, ended)| u64::try_from((ended - begun).num_milliseconds()).ok());
    HostProgress {
        host: host.host.clone(),
        wave: host.wave,
        state: state.to_owned(),
        reason,
        job: jobs().map(|job| job.number).max(),
        duration_ms,
    }
}

fn host_state(facts: &Facts, host: &HostFacts) -> (&'static str, Option<String>) {
    let why = |job: &JobFacts| Some(job.why().to_owned());
    if let Some(rollback) = &facts.rollback {
        match facts.back(host, rollback.to.id, rollback.tries) {
            Back::Untouched | Back::There => {}
            Back::Stopping(job) => return ("cancelling", job.reason.clone()),
            Back::Out(reason) => return ("deferred", Some(reason.to_owned())),
            Back::ToInstall | Back::ToSwitch => return ("rolling_back", None),
            Back::Installing(job) | Back::Switching(job) => return ("rolling_back", job.reason.clone()),
            Back::Done(_) => return ("rolled_back", None),
            Back::Failed(job) => return ("failed", why(job)),
        }
    }
    match facts.forward(host) {
        Forward::Out(_) if host.skipped.is_some() => ("skipped", host.skipped.clone()),
        Forward::Out(reason) => ("deferred", Some(reason.to_owned())),
        Forward::ToInstall => (
            if facts.ended.is_some() {
                "cancelled"
            } else {
                "waiting"
            },
            None,
        ),
        Forward::Installing(job) => ("installing", job.reason.clone()),
        Forward::Installed => ("installed", None),
        Forward::Switching(job) => ("switching", job.reason.clone()),
        Forward::Live(_) | Forward::There => ("live", None),
        Forward::Stopped(job) => ("cancelled", why(job)),
        Forward::SwitchFailed(job) if job.state == JobState::Abandoned => ("unknown", why(job)),
        Forward::InstallFailed(job) | Forward::SwitchFailed(job) => ("failed", why(job)),
    }
}
