//! The gate between the barrier and the first switch: every pre-migration of the release is applied.
//!
//! One run at a time on one host. A run that failed is never repeated by itself: a person decides, or the deployment
//! ends where the strategy says so, with no host switched. A run whose effect nobody knows holds everything until its
//! ledger was read.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::OnFailure;

use super::decide::{Ending, wind_down};
use super::decision::Decision;
use super::facts::{Facts, HostFacts, JobFacts, PauseReason, Paused};

/// Where the gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate<'a> {
    /// Hosts may switch.
    Open,
    /// A run is to begin.
    ToRun,
    /// A run is open, or its effect is unknown.
    Running(&'a JobFacts),
    /// The newest run failed as often as it may.
    Failed(&'a JobFacts),
}

impl Facts {
    /// Where the gate stands.
    pub(super) fn gate(&self) -> Gate<'_> {
        let runs = || {
            let runs = self.migrations.jobs.iter();
            runs.filter(|job| job.state != JobState::Superseded)
        };
        if !self.migrations.pre {
            return Gate::Open;
        }
        let Some(newest) = runs().max_by_key(|job| job.number) else {
            return Gate::ToRun;
        };
        if newest.state == JobState::Succeeded {
            return Gate::Open;
        }
        if !newest.state.is_final() {
            return Gate::Running(newest);
        }
        let failed = runs().filter(|job| job.fell_short()).count();
        if failed < usize::try_from(self.migrations.tries).unwrap_or(usize::MAX) {
            return Gate::ToRun;
        }
        Gate::Failed(newest)
    }

    /// Whether a person is asked because of the gate.
    pub fn gate_failed(&self) -> bool {
        matches!(self.gate(), Gate::Failed(_))
    }
}

/// What is missing before any host may switch; none once the gate is open, or when no host is left to run them.
pub(super) fn before_switches(facts: &Facts, now: DateTime<Utc>) -> Option<Vec<Decision>> {
    match facts.gate() {
        Gate::Open => None,
        Gate::Running(job) => Some(absent_runner(facts, job).into_iter().collect()),
        Gate::ToRun => runner(facts).map(|host| {
            vec![Decision::Migrate {
                placement: host.placement,
                release: facts.release.id,
            }]
        }),
        Gate::Failed(job) => Some(failed(facts, job, now)),
    }
}

/// The host that runs them: the one that was named, else the first that is seen; of those that have the release. None
/// when no host is left, which ends the deployment.
fn runner(facts: &Facts) -> Option<&HostFacts> {
    let able = || {
        facts
            .hosts
            .iter()
            .filter(|host| facts.forward(host).is_installed())
    };
    let named = facts.migrations.host.as_ref();
    able()
        .find(|host| Some(&host.host) == named)
        .or_else(|| able().filter(|host| host.seen).min_by(|a, b| a.host.cmp(&b.host)))
        .or_else(|| able().min_by(|a, b| a.host.cmp(&b.host)))
}

/// A run that waits for a host that went away moves on to another one, unless somebody named that host.
fn absent_runner(facts: &Facts, job: &JobFacts) -> Option<Decision> {
    if job.state != JobState::Deferred || job.granted {
        return None;
    }
    let host = facts.hosts.iter().find(|host| host.placement == job.placement)?;
    (facts.migrations.host.as_ref() != Some(&host.host)).then(|| Decision::Defer {
        placement: host.placement,
        why: job.why().to_owned(),
    })
}

fn failed(facts: &Facts, job: &JobFacts, now: DateTime<Utc>) -> Vec<Decision> {
    let message = format!("pre-migrations failed: {}", job.why());
    match facts.strategy.on_failure {
        OnFailure::Rollback => {
            let ending = Ending::Failed(format!("{message}; no host had switched"));
            wind_down(facts, &message, ending)
        }
        OnFailure::Hold | OnFailure::Continue => vec![Decision::Pause(Paused {
            why: PauseReason::Migration,
            message,
            at: now,
            by: None,
        })],
    }
}
