//! Before the start: what a wish waits for, and what ends it before any host was asked.

use chrono::{DateTime, Utc};
use pointsman_shared::api::releases::ReleaseState;

use super::decide::end;
use super::decision::Decision;
use super::facts::{DeploymentOutcome, Facts};
use crate::waves::{self, Candidate};

/// What becomes of a wish that has not started; empty = it waits.
pub(super) fn before_start(facts: &Facts, now: DateTime<Utc>) -> Vec<Decision> {
    if let Some(cancel) = &facts.cancel {
        let detail = format!("cancelled by {} before it started", cancel.by);
        return end(DeploymentOutcome::Cancelled, detail);
    }
    if is_unusable(facts.release.state) {
        return end(DeploymentOutcome::Failed, unusable(facts));
    }
    if let Some(expired) = facts.expires_at.filter(|expires| *expires <= now) {
        let detail = format!("it had not started by {}", expired.format("%F %T UTC"));
        return end(DeploymentOutcome::Cancelled, detail);
    }
    let later = |time: Option<DateTime<Utc>>| time.is_some_and(|time| time > now);
    if facts.behind.is_some()
        || facts.locked.is_some()
        || later(facts.held_until)
        || later(facts.scheduled_for)
    {
        return Vec::new();
    }
    if facts.hosts.is_empty() {
        return end(
            DeploymentOutcome::Failed,
            "no host has the labels of this target".to_owned(),
        );
    }
    vec![Decision::Start {
        from: facts.from.clone(),
        hosts: waves::freeze(&facts.strategy, candidates(facts)),
    }]
}

fn candidates(facts: &Facts) -> Vec<Candidate<'_>> {
    let hosts = facts.hosts.iter();
    hosts
        .map(|host| Candidate {
            placement: host.placement,
            host: &host.host,
            seen: host.seen && host.usable,
        })
        .collect()
}

const fn is_unusable(state: ReleaseState) -> bool {
    match state {
        ReleaseState::Failed | ReleaseState::Cancelled | ReleaseState::Pruned => true,
        ReleaseState::Queued | ReleaseState::Building | ReleaseState::Built => false,
    }
}

/// Why the release can never go live.
pub(super) fn unusable(facts: &Facts) -> String {
    let label = &facts.release.label;
    match facts.release.state {
        ReleaseState::Failed => {
            let why = facts.release.failure.as_deref().unwrap_or("its build failed");
            format!("release {label} was not built: {why}")
        }
        ReleaseState::Cancelled => format!("the build of release {label} was cancelled"),
        ReleaseState::Pruned => format!("release {label} was collected; build it again"),
        ReleaseState::Queued | ReleaseState::Building | ReleaseState::Built => {
            format!("release {label} cannot be used")
        }
    }
}
