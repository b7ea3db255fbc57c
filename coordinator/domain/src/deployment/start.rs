//! Before the start: what a wish waits for, and what ends it before any host was asked.

use chrono::{DateTime, Utc};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::name::HostId;

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

/// The hosts of each wave, if it started now; none once it started, when they are frozen, or ended before.
pub fn foreseen(facts: &Facts) -> Vec<Vec<HostId>> {
    let mut foreseen: Vec<Vec<HostId>> = Vec::new();
    if facts.started_at.is_some() || facts.ended.is_some() {
        return foreseen;
    }
    for (placement, wave) in waves::freeze(&facts.strategy, candidates(facts)) {
        let wave = usize::try_from(wave).unwrap_or(1);
        foreseen.resize(foreseen.len().max(wave), Vec::new());
        let host = facts.hosts.iter().find(|host| host.placement == placement);
        if let (Some(host), Some(members)) = (host, foreseen.get_mut(wave - 1)) {
            members.push(host.host.clone());
        }
    }
    foreseen
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
