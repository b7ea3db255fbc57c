//! What a person may say while a deployment goes over its hosts: pause before the next wave, try a failed host again,
//! leave a host out. Each is judged here against the facts, and stored by the caller.
//!
//! It refuses whatever would reach into work that may already have switched a host: that is a cancel or a rollback.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::{JobId, PlacementId};
use pointsman_shared::name::HostId;

use super::decision::Decision;
use super::facts::{Facts, HostFacts, JobFacts, PauseReason, Paused};
use super::gate::Gate;
use super::standing::Forward;
use crate::refusal::Refusal;

/// What is to be stored for one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intervention {
    /// What fell short on it up to this job counts no more.
    Retry {
        /// Where.
        placement: PlacementId,
        /// Number of its newest job.
        job: i64,
    },
    /// It is left out.
    Skip {
        /// Where.
        placement: PlacementId,
        /// The open job that ends with it.
        job: Option<JobId>,
    },
}

impl Facts {
    /// Whether the next wave may be waited for.
    pub fn judge_pause(&self) -> Result<(), Refusal> {
        self.refuse_on_the_way_back()?;
        let number = self.number;
        if self.paused.is_some() {
            let what = format!("deployment #{number} is paused already");
            return Err(Refusal::conflict("already_paused", what).hint(format!("pointsman resume {number}")));
        }
        Ok(())
    }

    /// What trying these hosts again means; all that failed when none is named.
    pub fn judge_retry(&self, hosts: &[HostId]) -> Result<Vec<Intervention>, Refusal> {
        self.refuse_on_the_way_back()?;
        let failed = |host: &&HostFacts| self.failed_job(host).is_some();
        let wanted: Vec<_> = if hosts.is_empty() {
            self.hosts.iter().filter(failed).collect()
        } else {
            hosts
                .iter()
                .map(|name| self.host(name))
                .collect::<Result<_, _>>()?
        };
        if wanted.is_empty() {
            let what = format!("no host of deployment #{} failed", self.number);
            return Err(Refusal::conflict("nothing_failed", what));
        }
        wanted.into_iter().map(|host| self.retry(host)).collect()
    }

    fn retry(&self, host: &HostFacts) -> Result<Intervention, Refusal> {
        let refuse = |code, what: String| Err(Refusal::conflict(code, what));
        if let Some(drift) = &host.drift {
            return refuse("drifted", format!("{} cannot be tried again: {drift}", host.host));
        }
        if self.failed_job(host).is_none() {
            let what = format!("{} did not fail in deployment #{}", host.host, self.number);
            return refuse("not_failed", what);
        }
        let own = self.jobs.iter().filter(|job| job.placement == host.placement);
        Ok(Intervention::Retry {
            placement: host.placement,
            job: own.map(|job| job.number).max().unwrap_or_default(),
        })
    }

    /// What leaving this host out means.
    pub fn judge_skip(&self, name: &HostId) -> Result<Intervention, Refusal> {
        self.refuse_on_the_way_back()?;
        let host = self.host(name)?;
        let number = self.number;
        let job = match self.forward(host) {
            Forward::Live(_) | Forward::There => {
                let what = format!("{name} is live already in deployment #{number}");
                return Err(Refusal::conflict("already_live", what));
            }
            Forward::Switching(job) if job.granted => {
                let what = format!("{name} is being switched by job #{}", job.number);
                return Err(Refusal::conflict("host_at_work", what)
                    .hint(format!("wait for its end, or pointsman cancel {number}")));
            }
            Forward::Out(why) => {
                let what = format!("{name} is out of deployment #{number} already: {why}");
                return Err(Refusal::conflict("already_out", what));
            }
            Forward::Switching(job) | Forward::Installing(job) => Some(job.id),
            Forward::ToInstall
            | Forward::Installed
            | Forward::InstallFailed(_)
            | Forward::SwitchFailed(_)
            | Forward::Stopped(_) => None,
        };
        Ok(Intervention::Skip {
            placement: host.placement,
            job,
        })
    }

    /// Whether it waits for a person about failures that are no longer more than the strategy allows.
    pub fn is_failure_settled(&self) -> bool {
        self.is_about_failures() && !self.has_too_many_failures()
    }

    /// Whether it waits for a person because hosts failed.
    pub(super) fn is_about_failures(&self) -> bool {
        self.paused.as_ref().is_some_and(|paused| match paused.why {
            PauseReason::Failure | PauseReason::NoPreviousGood => true,
            PauseReason::RollbackFailed | PauseReason::Migration | PauseReason::Asked => false,
        })
    }

    /// Whether it may have changed anything that is live: a host, or the project's database.
    pub fn has_had_effect(&self) -> bool {
        let migrated = |job: &JobFacts| job.granted;
        self.hosts.iter().any(|host| self.touched(host)) || self.migrations.jobs.iter().any(migrated)
    }

    fn host(&self, name: &HostId) -> Result<&HostFacts, Refusal> {
        self.hosts.iter().find(|host| host.host == *name).ok_or_else(|| {
            let what = format!("{name} is no host of deployment #{}", self.number);
            Refusal::not_found("unknown_host", what).hint(format!("pointsman deployments {}", self.number))
        })
    }

    /// The job whose ending a person may have tried again. Of a host whose effect is unknown nobody knows what to try.
    fn failed_job<'a>(&'a self, host: &'a HostFacts) -> Option<&'a JobFacts> {
        match self.forward(host) {
            Forward::SwitchFailed(job) if job.state == pointsman_shared::api::jobs::JobState::Abandoned => {
                None
            }
            Forward::InstallFailed(job) | Forward::SwitchFailed(job) | Forward::Stopped(job) => Some(job),
            Forward::Out(_)
            | Forward::ToInstall
            | Forward::Installing(_)
            | Forward::Installed
            | Forward::Switching(_)
            | Forward::Live(_)
            | Forward::There => None,
        }
    }
}

/// The pause that somebody wished, once no wave is under way; none while one is, or when none is left.
pub(super) fn pause(facts: &Facts, now: DateTime<Utc>) -> Option<Decision> {
    let wish = facts.pause_wish.as_ref()?;
    // A migration that runs is waited for, and one that failed is told first.
    if matches!(facts.gate(), Gate::Running(_) | Gate::Failed(_)) {
        return None;
    }
    let wave = facts.unsettled_wave()?;
    let begun = |host: &HostFacts| {
        let mut own = facts.jobs.iter().filter(|job| job.placement == host.placement);
        own.any(|job| job.kind.is_switch() && !job.undo && job.number > host.retried)
    };
    if facts.hosts.iter().any(|host| host.wave == wave && begun(host)) {
        return None;
    }
    let why = wish
        .reason
        .as_ref()
        .map_or_else(String::new, |why| format!(": {why}"));
    Some(Decision::Pause(Paused {
        why: PauseReason::Asked,
        message: format!("{} paused it before wave {wave}{why}", wish.by),
        at: now,
        by: Some(wish.by.clone()),
    }))
}
