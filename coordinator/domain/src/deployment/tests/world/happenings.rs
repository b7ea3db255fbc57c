//! What may happen to jobs and hosts, and what people may decide.

use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::PlacementId;
use pointsman_shared::outcome::JobKind;

use super::{NEW, OLD, World};
use crate::deployment::{CancelDecision, DeploymentOutcome, JobFacts, RollbackDecision, decide};

impl World {
    fn job(&mut self, job: usize, state: JobState) -> Option<&mut JobFacts> {
        self.jobs_mut().nth(job).filter(|job| job.state == state)
    }

    pub fn grant(&mut self, job: usize) {
        if let Some(job) = self.job(job, JobState::Offered) {
            job.state = JobState::Running;
            job.granted = true;
        }
    }

    /// Also of a migration whose end nobody saw at first.
    pub fn succeed(&mut self, job: usize) {
        let ends = |job: &&mut JobFacts| matches!(job.state, JobState::Running | JobState::Indeterminate);
        let Some(job) = self.jobs_mut().nth(job).filter(ends) else {
            return;
        };
        job.state = JobState::Succeeded;
        if job.kind == JobKind::Migrate {
            return;
        }
        let (placement, is_switch, undo) = (job.placement, job.kind.is_switch(), job.undo);
        let release = if undo {
            self.facts.rollback.as_ref().unwrap().to.id
        } else {
            NEW
        };
        let host = self.index(placement);
        if is_switch {
            self.facts.hosts[host].confirmed = Some(release);
        }
        self.facts.hosts[host].has.push(release);
    }

    /// `changed`: whether the switch itself took place, as when a health check fails.
    pub fn fail(&mut self, job: usize, why: &str, changed: bool) {
        let Some(job) = self.job(job, JobState::Running) else {
            return;
        };
        job.state = JobState::Failed;
        job.reason = Some(why.to_owned());
        let (placement, is_switch, undo) = (job.placement, job.kind.is_switch(), job.undo);
        if changed && is_switch {
            let host = self.index(placement);
            self.facts.hosts[host].confirmed = Some(if undo { OLD } else { NEW });
        }
    }

    /// The agent stops as it was asked to.
    pub fn stop(&mut self, job: usize) {
        if let Some(job) = self
            .job(job, JobState::Running)
            .filter(|job| job.cancel_requested)
        {
            job.state = JobState::Cancelled;
        }
    }

    /// The lease runs out.
    pub fn lose(&mut self, job: usize) {
        let Some(job) = self.job(job, JobState::Running) else {
            return;
        };
        let placement = job.placement;
        let is_migration = job.kind == JobKind::Migrate;
        job.state = match (job.cancel_requested, job.kind.is_switch()) {
            _ if is_migration => JobState::Indeterminate,
            (true, true) => JobState::Abandoned,
            (true, false) => JobState::Cancelled,
            (false, _) => JobState::Offered,
        };
        if !self.facts.hosts[self.index(placement)].seen {
            self.defer_offers(placement);
        }
    }

    fn defer_offers(&mut self, placement: PlacementId) {
        for job in self.jobs_mut().filter(|job| job.placement == placement) {
            if job.state == JobState::Offered {
                job.state = JobState::Deferred;
                job.reason = Some("it is absent".to_owned());
            }
        }
    }

    pub fn vanish(&mut self, host: usize) {
        self.facts.hosts[host].seen = false;
        self.defer_offers(self.facts.hosts[host].placement);
    }

    pub fn come_back(&mut self, host: usize) {
        self.facts.hosts[host].seen = true;
        let placement = self.facts.hosts[host].placement;
        for job in self.jobs_mut().filter(|job| job.placement == placement) {
            if job.state == JobState::Deferred {
                job.state = JobState::Offered;
            }
        }
    }

    pub fn drift(&mut self, host: usize) {
        // A running switch explains what the host reports; it is read as drift only when none runs.
        let placement = self.facts.hosts[host].placement;
        let running = self
            .facts
            .jobs
            .iter()
            .any(|job| job.placement == placement && job.state == JobState::Running);
        if !running && self.facts.started_at.is_some() {
            self.facts.hosts[host]
                .drift
                .get_or_insert("its link was changed by hand".to_owned());
        }
    }

    pub fn cancel(&mut self) {
        let cancel = CancelDecision {
            by: "ann".to_owned(),
            at: self.now,
            reason: None,
        };
        if self.facts.ended.is_none() {
            self.facts.cancel.get_or_insert(cancel);
        }
    }

    pub fn go_on(&mut self) {
        if self.facts.rollback.is_some() || self.facts.ended.is_some() {
            return;
        }
        self.facts.pause_wish = None;
        if self.facts.paused.is_none() {
            return;
        }
        for (placement, job) in self.facts.failures_to_accept() {
            let host = self.index(placement);
            self.facts.hosts[host].accepted = job;
        }
        if self.facts.gate_failed() {
            self.facts.migrations.tries += 1;
        }
        self.facts.paused = None;
    }

    pub fn roll_back(&mut self) {
        if self.facts.started_at.is_none() || self.facts.ended.is_some() || self.facts.cancel.is_some() {
            return;
        }
        match (&mut self.facts.rollback, &self.facts.paused) {
            (Some(rollback), Some(_)) => rollback.tries += 1,
            (Some(_), None) => return,
            (none @ None, _) => {
                let Some(to) = self.facts.from.clone() else { return };
                let reason = "rolled back by ann".to_owned();
                *none = Some(RollbackDecision {
                    to,
                    at: self.now,
                    by: Some("ann".to_owned()),
                    reason,
                    tries: 1,
                });
            }
        }
        self.facts.paused = None;
    }

    /// Grants everything and lets it end well, until nothing is open or somebody is asked.
    pub fn run_to_rest(&mut self) {
        for _ in 0..200 {
            self.advance();
            for job in 0..self.jobs().count() {
                self.grant(job);
                self.stop(job);
                self.succeed(job);
            }
            let is_resting = self
                .jobs()
                .all(|job| matches!(job.state, JobState::Deferred) || job.state.is_final());
            if is_resting && decide(&self.facts, self.now).is_empty() {
                return;
            }
        }
        panic!("it never comes to rest: {:?}", self.facts);
    }

    pub fn outcome(&self) -> Option<DeploymentOutcome> {
        self.facts.ended.as_ref().map(|ended| ended.outcome)
    }

    pub fn detail(&self) -> &str {
        self.facts
            .ended
            .as_ref()
            .and_then(|ended| ended.detail.as_deref())
            .unwrap_or_default()
    }
}
