//! Going back: each host the deployment may have switched gets the release that was live before, once its own switch
//! is over. All hosts at once, no waves: what they go back to is known to be good. A host whose switch never took place
//! needs nothing: it would only fail again at what it failed at.
//!
//! One automatic try per host; where it fails, a person decides. It never goes back twice by itself.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::ReleaseId;

use super::decide::{Ending, absence, end, stop, wind_down};
use super::decision::Decision;
use super::facts::{DeploymentOutcome, Facts, HostFacts, PauseReason, Paused, RollbackDecision};
use super::standing::Back;
use super::summary::told_once;

pub(super) fn decide(facts: &Facts, rollback: &RollbackDecision, now: DateTime<Utc>) -> Vec<Decision> {
    let to = rollback.to.id;
    let hosts: Vec<_> = facts
        .hosts
        .iter()
        .map(|host| (host, facts.back(host, to, rollback.tries)))
        .collect();
    let forward = facts.jobs.iter().filter(|job| !job.undo);
    let mut out: Vec<_> = forward.filter_map(|job| stop(job, &rollback.reason)).collect();
    // While a person is asked, nothing new begins; what is open goes on.
    let may_begin = |decision: &Decision| {
        facts.paused.is_none() || !matches!(decision, Decision::Install { .. } | Decision::Switch { .. })
    };
    out.extend(
        hosts
            .iter()
            .filter_map(|(host, standing)| next(host, *standing, to))
            .filter(may_begin),
    );
    if !out.is_empty() || hosts.iter().any(|(_, standing)| is_on_the_way(*standing)) {
        return out;
    }
    if hosts.iter().all(|(_, standing)| *standing == Back::Untouched) {
        let detail = format!("{}; no host had switched", rollback.reason);
        let failed = !facts.failures().is_empty();
        let ending = if failed {
            Ending::Failed(detail)
        } else {
            Ending::Cancelled(detail)
        };
        return wind_down(facts, &rollback.reason, ending);
    }
    let failed = told_once(
        hosts
            .iter()
            .filter_map(|(host, standing)| failure(host, *standing)),
    );
    if failed.is_empty() {
        return end_of(facts, rollback, &hosts);
    }
    if facts.paused.is_some() {
        return Vec::new();
    }
    let failed: Vec<_> = failed
        .into_iter()
        .map(|(hosts, why)| format!("{hosts}: {why}"))
        .collect();
    let message = format!(
        "rolling back to {} failed on {}",
        rollback.to.label,
        failed.join("; ")
    );
    let why = PauseReason::RollbackFailed;
    vec![Decision::Pause(Paused {
        why,
        message,
        at: now,
        by: None,
    })]
}

/// What a host needs next.
fn next(host: &HostFacts, standing: Back<'_>, to: ReleaseId) -> Option<Decision> {
    let placement = host.placement;
    match standing {
        Back::ToInstall | Back::ToSwitch if host.drift.is_some() => {
            host.drift.clone().map(|why| Decision::Defer { placement, why })
        }
        Back::ToInstall => Some(Decision::Install {
            placement,
            release: to,
            undo: true,
        }),
        Back::ToSwitch => (!host.busy).then_some(Decision::Switch {
            placement,
            release: to,
            undo: true,
        }),
        Back::Installing(job) => (job.state == JobState::Deferred).then(|| Decision::Defer {
            placement,
            why: job.why().to_owned(),
        }),
        Back::Switching(job) => absence(host, job),
        Back::Untouched
        | Back::There
        | Back::Stopping(_)
        | Back::Out(_)
        | Back::Done(_)
        | Back::Failed(_) => None,
    }
}

const fn is_on_the_way(standing: Back<'_>) -> bool {
    match standing {
        Back::Stopping(_) | Back::ToInstall | Back::Installing(_) | Back::ToSwitch | Back::Switching(_) => {
            true
        }
        Back::Untouched | Back::There | Back::Out(_) | Back::Done(_) | Back::Failed(_) => false,
    }
}

/// The host and why it could not go back.
fn failure(host: &HostFacts, standing: Back<'_>) -> Option<(String, String)> {
    match standing {
        Back::Failed(job) => Some((host.host.to_string(), host.own(job.why()).to_owned())),
        Back::Untouched
        | Back::There
        | Back::Stopping(_)
        | Back::Out(_)
        | Back::ToInstall
        | Back::Installing(_)
        | Back::ToSwitch
        | Back::Switching(_)
        | Back::Done(_) => None,
    }
}

fn end_of(facts: &Facts, rollback: &RollbackDecision, hosts: &[(&HostFacts, Back<'_>)]) -> Vec<Decision> {
    let label = &rollback.to.label;
    let out = hosts
        .iter()
        .filter(|(_, standing)| matches!(standing, Back::Out(_)));
    let absent: Vec<_> = out.map(|(host, _)| host.host.as_str()).collect();
    let tail = match absent.as_slice() {
        [] => String::new(),
        absent => format!("; {} deferred: {}", absent.len(), absent.join(", ")),
    };
    let is_back = hosts
        .iter()
        .any(|(_, standing)| matches!(standing, Back::Done(_)));
    if is_back
        || facts
            .hosts
            .iter()
            .any(|host| host.confirmed == Some(rollback.to.id))
    {
        let detail = format!("rolled back to {label}{tail}: {}", rollback.reason);
        return end(DeploymentOutcome::RolledBack, detail);
    }
    let detail = format!("{}; no host is confirmed back on {label}{tail}", rollback.reason);
    end(DeploymentOutcome::Failed, detail)
}
