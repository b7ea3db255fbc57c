//! The next steps of a deployment: build, install everywhere, the barrier, pre-migrations, waves, and what a failure
//! means.
//!
//! Level-triggered: the same facts give the same decisions, however often and in whatever order things were reported.
//! It performs nothing and never asks the time.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::OnFailure;
use pointsman_shared::api::releases::ReleaseState;

use super::decision::Decision;
use super::facts::{
    DeploymentKind, DeploymentOutcome, Facts, HostFacts, JobFacts, PauseReason, Paused, RollbackDecision,
};
use super::standing::Forward;
use super::{gate, intervene, start, undo};

/// What to do now; empty = wait for something to happen.
pub fn decide(facts: &Facts, now: DateTime<Utc>) -> Vec<Decision> {
    if facts.ended.is_some() {
        return Vec::new();
    }
    if facts.started_at.is_none() {
        return start::before_start(facts, now);
    }
    if let Some(cancel) = &facts.cancel {
        let reason = format!("deployment #{} was cancelled by {}", facts.number, cancel.by);
        return wind_down(facts, &reason, Ending::Cancelled(reason.clone()));
    }
    if let (Some(paused), Some(newer)) = (&facts.paused, facts.newer)
        // Whoever paused it means to go on; a newer wish waits for that.
        && paused.why != PauseReason::Asked
    {
        let reason = format!("{}; ended by the newer wish #{newer}", paused.message);
        return wind_down(facts, &reason, Ending::Failed(reason.clone()));
    }
    if let Some(rollback) = &facts.rollback {
        return undo::decide(facts, rollback, now);
    }
    match facts.release.state {
        ReleaseState::Queued | ReleaseState::Building => Vec::new(),
        ReleaseState::Built => forward(facts, now),
        ReleaseState::Failed | ReleaseState::Cancelled | ReleaseState::Pruned => {
            let reason = start::unusable(facts);
            wind_down(facts, &reason, Ending::Failed(reason.clone()))
        }
    }
}

fn forward(facts: &Facts, now: DateTime<Utc>) -> Vec<Decision> {
    let mut out = absences(facts);
    // With `continue` nothing is decided: the next hosts are tried all the same.
    if facts.paused.is_none()
        && facts.has_too_many_failures()
        && let Some(decisions) = on_failure(facts, now)
    {
        out.extend(decisions);
        return out;
    }
    if facts.paused.is_some() {
        return out;
    }
    match before_barrier(facts) {
        Some(decisions) => out.extend(decisions),
        None => match intervene::pause(facts, now) {
            Some(pause) => out.push(pause),
            None => out.extend(gate::before_switches(facts, now).unwrap_or_else(|| next_wave(facts))),
        },
    }
    out
}

/// Hosts that went away: deferred while nothing was granted, given up after a grant.
fn absences(facts: &Facts) -> Vec<Decision> {
    facts
        .hosts
        .iter()
        .filter_map(|host| match facts.forward(host) {
            Forward::Switching(job) => absence(host, job),
            // What an agent works on is waited for.
            Forward::Installing(job) if !job.is_idle() => None,
            Forward::ToInstall | Forward::Installing(_) | Forward::Installed => {
                let drift = host.drift.as_ref()?;
                Some(Decision::Defer {
                    placement: host.placement,
                    why: drift.clone(),
                })
            }
            Forward::Out(_)
            | Forward::InstallFailed(_)
            | Forward::Live(_)
            | Forward::There
            | Forward::SwitchFailed(_)
            | Forward::Stopped(_) => None,
        })
        .collect()
}

/// What becomes of a switch whose host is absent or turned out to be elsewhere than we thought.
pub(super) fn absence(host: &HostFacts, job: &JobFacts) -> Option<Decision> {
    let unreachable = job.state == JobState::Deferred;
    if job.granted {
        let reason = format!(
            "{} was lost after its switch was granted; nobody knows yet what is live there",
            host.host
        );
        return unreachable.then_some(Decision::Cancel { job: job.id, reason });
    }
    let why = match &host.drift {
        Some(drift) if job.is_idle() => drift.clone(),
        Some(_) | None if unreachable => job.why().to_owned(),
        Some(_) | None => return None,
    };
    Some(Decision::Defer {
        placement: host.placement,
        why,
    })
}

fn on_failure(facts: &Facts, now: DateTime<Utc>) -> Option<Vec<Decision>> {
    let forbidden = facts.from.as_ref().zip(facts.migrations.forbidding.first());
    let message = match (facts.strategy.on_failure, forbidden) {
        (OnFailure::Rollback, Some((from, migration))) => format!(
            "{}; {} cannot run after the applied post-migration {migration}",
            facts.failure_summary(),
            from.label
        ),
        (OnFailure::Rollback, None) | (OnFailure::Hold | OnFailure::Continue, _) => facts.failure_summary(),
    };
    let pause = |why| {
        let paused = Paused {
            why,
            message: message.clone(),
            at: now,
            by: None,
        };
        Some(vec![Decision::Pause(paused)])
    };
    match (facts.strategy.on_failure, facts.kind) {
        (OnFailure::Continue, _) => None,
        (OnFailure::Hold, _) | (OnFailure::Rollback, DeploymentKind::Rollback) => pause(PauseReason::Failure),
        (OnFailure::Rollback, DeploymentKind::Deploy) => {
            if !facts.hosts.iter().any(|host| facts.touched(host)) {
                let ending = Ending::Failed(format!("{message}; no host had switched"));
                return Some(wind_down(facts, &message, ending));
            }
            // Going "back" to the very release that fails now would never end.
            let from = facts.from.clone().filter(|from| from.id != facts.release.id);
            match from.filter(|_| facts.migrations.forbidding.is_empty()) {
                None => pause(PauseReason::NoPreviousGood),
                Some(to) => {
                    let decision = RollbackDecision {
                        to,
                        at: now,
                        by: None,
                        reason: message,
                        tries: 1,
                    };
                    Some(vec![Decision::RollBack(decision)])
                }
            }
        }
    }
}

/// What is missing before any host may switch; none once the barrier is passed.
fn before_barrier(facts: &Facts) -> Option<Vec<Decision>> {
    let mut absent = Vec::new();
    let mut todo = Vec::new();
    let mut holds = false;
    for host in &facts.hosts {
        match facts.forward(host) {
            Forward::ToInstall if host.drift.is_none() => {
                holds = true;
                let (placement, release) = (host.placement, facts.release.id);
                todo.push(Decision::Install {
                    placement,
                    release,
                    undo: false,
                });
            }
            Forward::Installing(job) if job.state == JobState::Deferred => {
                absent.push(Decision::Defer {
                    placement: host.placement,
                    why: job.why().to_owned(),
                });
            }
            Forward::Installing(_) => holds = true,
            Forward::ToInstall
            | Forward::Out(_)
            | Forward::InstallFailed(_)
            | Forward::Installed
            | Forward::Switching(_)
            | Forward::Live(_)
            | Forward::There
            | Forward::SwitchFailed(_)
            | Forward::Stopped(_) => {}
        }
    }
    match (holds, absent.is_empty()) {
        (true, _) => Some(todo),
        (false, false) => Some(absent),
        (false, true) => None,
    }
}

impl Facts {
    fn switching_in(&self, wave: u32) -> usize {
        let members = self.hosts.iter().filter(|host| host.wave == wave);
        members
            .filter(|host| matches!(self.forward(host), Forward::Switching(_)))
            .count()
    }

    fn pending_in(&self, wave: u32) -> impl Iterator<Item = &HostFacts> {
        let members = self.hosts.iter().filter(move |host| host.wave == wave);
        members.filter(|host| self.forward(host) == Forward::Installed && host.drift.is_none())
    }

    /// The first wave with a host that switches or is still to switch.
    pub(super) fn unsettled_wave(&self) -> Option<u32> {
        let last = self.hosts.iter().map(|host| host.wave).max().unwrap_or(0);
        (1..=last).find(|wave| self.switching_in(*wave) > 0 || self.pending_in(*wave).next().is_some())
    }
}

/// The next switches of the first wave that is not settled; the end when all are.
fn next_wave(facts: &Facts) -> Vec<Decision> {
    if let Some(wave) = facts.unsettled_wave() {
        let limit = match facts.strategy.max_unavailable {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        return facts
            .pending_in(wave)
            .take(limit.saturating_sub(facts.switching_in(wave)))
            .filter(|host| !host.busy)
            .map(|host| Decision::Switch {
                placement: host.placement,
                release: facts.release.id,
                undo: false,
            })
            .collect();
    }
    // Hosts that drifted are being deferred in this very look; the next one ends.
    if facts
        .hosts
        .iter()
        .any(|host| matches!(facts.forward(host), Forward::Installed | Forward::ToInstall))
    {
        return Vec::new();
    }
    outcome(facts)
}

fn outcome(facts: &Facts) -> Vec<Decision> {
    let live = facts
        .hosts
        .iter()
        .filter(|host| matches!(facts.forward(host), Forward::Live(_) | Forward::There))
        .count();
    let outcome = if live > 0 {
        DeploymentOutcome::Live
    } else {
        DeploymentOutcome::Failed
    };
    end(outcome, facts.tally(live))
}

/// How a deployment that is being stopped ends.
pub(super) enum Ending {
    /// Its work failed.
    Failed(String),
    /// A person stopped it; with an unknown effect it is abandoned.
    Cancelled(String),
}

/// Ends every open job, then the deployment.
pub(super) fn wind_down(facts: &Facts, reason: &str, ending: Ending) -> Vec<Decision> {
    let all = || facts.jobs.iter().chain(&facts.migrations.jobs);
    if all().any(|job| !job.state.is_final()) {
        return all().filter_map(|job| stop(job, reason)).collect();
    }
    match ending {
        Ending::Failed(detail) => end(DeploymentOutcome::Failed, detail),
        Ending::Cancelled(detail) => match facts.unknown_hosts() {
            names if names.is_empty() => end(DeploymentOutcome::Cancelled, facts.with_switched(detail)),
            names => end(
                DeploymentOutcome::Abandoned,
                format!("{detail}; nobody knows yet what is live on {}", names.join(", ")),
            ),
        },
    }
}

/// Ends a job that is open and was not asked to stop yet.
pub(super) fn stop(job: &JobFacts, reason: &str) -> Option<Decision> {
    let over = job.state.is_final() || job.cancel_requested;
    (!over).then(|| Decision::Cancel {
        job: job.id,
        reason: reason.to_owned(),
    })
}

pub(super) fn end(outcome: DeploymentOutcome, detail: String) -> Vec<Decision> {
    vec![Decision::End { outcome, detail }]
}
