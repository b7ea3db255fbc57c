//! The world around one deployment: it performs decisions as the store does, and lets things happen to jobs and hosts.
//!
//! Every step asserts what must always hold.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::{OnFailure, Strategy};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::ids::{DeploymentId, JobId, PlacementId, ReleaseId};
use pointsman_shared::outcome::JobKind;
use uuid::Uuid;

use crate::deployment::{
    CancelDecision, Decision, DeploymentKind, DeploymentOutcome, Ended, Facts, HostFacts, JobFacts,
    ReleaseFacts, ReleaseRef, RollbackDecision, decide,
};

pub(super) const OLD: ReleaseId = ReleaseId(Uuid::from_u128(1));
pub(super) const NEW: ReleaseId = ReleaseId(Uuid::from_u128(2));

#[derive(Debug)]
pub(super) struct World {
    pub facts: Facts,
    pub now: DateTime<Utc>,
    /// Newest generation of each placement, by host.
    pub generations: Vec<u64>,
    /// Switches ordered, as (host, release, undo).
    pub switches: Vec<(usize, ReleaseId, bool)>,
}

pub(super) fn release(id: ReleaseId) -> ReleaseRef {
    ReleaseRef {
        id,
        label: if id == OLD { "1.0" } else { "2.0" }.parse().unwrap(),
    }
}

pub(super) fn strategy(waves: &[&str], on_failure: OnFailure) -> Strategy {
    let waves = waves.iter().map(|wave| (*wave).to_owned()).collect();
    Strategy {
        waves,
        on_failure,
        ..Strategy::default()
    }
}

impl World {
    /// `hosts` seen hosts on the old good release; the new one is built.
    pub fn new(hosts: usize, strategy: Strategy) -> Self {
        let host = |index: usize| HostFacts {
            placement: PlacementId(Uuid::from_u128(100 + index as u128)),
            host: format!("web-{}", index + 1).parse().unwrap(),
            wave: 0,
            seen: true,
            deferred: None,
            skipped: None,
            drift: None,
            retired: false,
            has: vec![OLD],
            confirmed: Some(OLD),
            busy: false,
        };
        let facts = Facts {
            id: DeploymentId(Uuid::from_u128(812)),
            number: 812,
            kind: DeploymentKind::Deploy,
            release: ReleaseFacts {
                id: NEW,
                label: release(NEW).label,
                state: ReleaseState::Built,
                failure: None,
            },
            strategy,
            held_until: None,
            scheduled_for: None,
            started_at: None,
            from: Some(release(OLD)),
            paused: None,
            failures_forgiven: 0,
            rollback: None,
            cancel: None,
            ended: None,
            behind: None,
            newer: None,
            hosts: (0..hosts).map(host).collect(),
            jobs: Vec::new(),
        };
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        Self {
            facts,
            now,
            generations: vec![0; hosts],
            switches: Vec::new(),
        }
    }

    /// Looks and performs until nothing is left to do.
    pub fn advance(&mut self) {
        for _ in 0..100 {
            let decisions = decide(&self.facts, self.now);
            assert_eq!(
                decisions,
                decide(&self.facts, self.now),
                "the same facts give the same decisions"
            );
            if decisions.is_empty() {
                return;
            }
            for decision in decisions {
                self.perform(decision);
            }
            self.check();
        }
        panic!("it never comes to rest: {:?}", decide(&self.facts, self.now));
    }

    fn perform(&mut self, decision: Decision) {
        match decision {
            Decision::Start { from, hosts } => {
                assert!(self.facts.started_at.is_none());
                self.facts.started_at = Some(self.now);
                self.facts.from = from;
                for (placement, wave) in hosts {
                    self.facts
                        .hosts
                        .iter_mut()
                        .find(|host| host.placement == placement)
                        .unwrap()
                        .wave = wave;
                }
                self.facts
                    .hosts
                    .sort_by_key(|host| (host.wave, host.host.clone()));
            }
            Decision::Install { placement, undo, .. } => self.order(JobKind::Install, placement, undo),
            Decision::Switch {
                placement,
                release,
                undo,
            } => {
                let host = self.index(placement);
                self.check_switch(host, release, undo);
                self.generations[host] += 1;
                self.switches.push((host, release, undo));
                self.order(
                    if undo {
                        JobKind::Rollback
                    } else {
                        JobKind::Activate
                    },
                    placement,
                    undo,
                );
            }
            Decision::Defer { placement, why } => {
                let host = self.index(placement);
                self.facts.hosts[host].deferred.get_or_insert(why);
                for job in self
                    .facts
                    .jobs
                    .iter_mut()
                    .filter(|job| job.placement == placement)
                {
                    if is_idle(job.state) {
                        job.state = JobState::Superseded;
                    }
                }
            }
            Decision::Cancel { job, reason } => self.cancel_job(job, reason),
            Decision::Pause(paused) => {
                assert!(self.facts.paused.is_none(), "it is paused once");
                self.facts.paused = Some(paused);
            }
            Decision::RollBack(rollback) => {
                assert!(self.facts.rollback.is_none(), "it rolls back by itself once");
                self.facts.rollback = Some(rollback);
            }
            Decision::End { outcome, detail } => {
                assert!(self.facts.ended.is_none(), "the outcome is written once");
                assert!(
                    self.facts.jobs.iter().all(|job| job.state.is_final()),
                    "no job is open at the end"
                );
                self.facts.ended = Some(Ended {
                    outcome,
                    detail: Some(detail),
                    at: self.now,
                });
            }
        }
    }

    fn check_switch(&self, host: usize, release: ReleaseId, undo: bool) {
        let facts = &self.facts;
        assert!(
            facts.hosts[host].drift.is_none(),
            "a host that drifted is never moved"
        );
        assert!(
            facts.hosts[host].has.contains(&release),
            "only what lies there complete is switched to"
        );
        if undo {
            assert!(
                facts.touched(&facts.hosts[host]),
                "only hosts that may have switched go back"
            );
            return;
        }
        for other in &facts.hosts {
            let installing = facts.jobs.iter().any(|job| {
                job.placement == other.placement && job.kind == JobKind::Install && !job.state.is_final()
            });
            assert!(!installing, "no host switches before the barrier");
        }
    }

    /// What must hold after every step.
    fn check(&self) {
        for (index, host) in self.facts.hosts.iter().enumerate() {
            let open = |job: &&JobFacts| {
                job.placement == host.placement && job.kind.is_switch() && !job.state.is_final()
            };
            assert!(
                self.facts.jobs.iter().filter(open).count() <= 1,
                "two open switches on {}",
                host.host
            );
            let ordered = self.switches.iter().filter(|(at, _, _)| *at == index).count();
            assert_eq!(
                self.generations[index], ordered as u64,
                "one generation for each decision"
            );
        }
        if let Some(ended) = &self.facts.ended {
            let live = self
                .facts
                .jobs
                .iter()
                .any(|job| job.kind.is_switch() && !job.undo && job.state == JobState::Succeeded);
            assert!(
                ended.outcome != DeploymentOutcome::Live || live,
                "live with no host confirmed"
            );
        }
    }

    fn order(&mut self, kind: JobKind, placement: PlacementId, undo: bool) {
        let number = self.facts.jobs.len() as i64 + 1;
        let seen = self.facts.hosts[self.index(placement)].seen;
        self.facts.jobs.push(JobFacts {
            id: JobId(Uuid::from_u128(1000 + u128::try_from(number).unwrap())),
            number,
            kind,
            undo,
            placement,
            state: if seen {
                JobState::Offered
            } else {
                JobState::Deferred
            },
            granted: false,
            cancel_requested: false,
            reason: (!seen).then(|| "it is absent".to_owned()),
            step: None,
            started_at: None,
            ended_at: None,
        });
    }

    fn cancel_job(&mut self, id: JobId, reason: String) {
        let job = self.facts.jobs.iter_mut().find(|job| job.id == id).unwrap();
        if is_idle(job.state) {
            let unknown = job.granted && job.kind.is_switch();
            job.state = if unknown {
                JobState::Abandoned
            } else {
                JobState::Cancelled
            };
            job.reason = Some(reason);
        } else {
            job.cancel_requested = true;
        }
    }

    pub fn index(&self, placement: PlacementId) -> usize {
        self.facts
            .hosts
            .iter()
            .position(|host| host.placement == placement)
            .unwrap()
    }

    fn job(&mut self, job: usize, state: JobState) -> Option<&mut JobFacts> {
        self.facts.jobs.get_mut(job).filter(|job| job.state == state)
    }

    pub fn grant(&mut self, job: usize) {
        if let Some(job) = self.job(job, JobState::Offered) {
            job.state = JobState::Running;
            job.granted = true;
        }
    }

    pub fn succeed(&mut self, job: usize) {
        let Some(job) = self.job(job, JobState::Running) else {
            return;
        };
        job.state = JobState::Succeeded;
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
        job.state = match (job.cancel_requested, job.kind.is_switch()) {
            (true, true) => JobState::Abandoned,
            (true, false) => JobState::Cancelled,
            (false, _) => JobState::Offered,
        };
        if !self.facts.hosts[self.index(placement)].seen {
            self.defer_offers(placement);
        }
    }

    fn defer_offers(&mut self, placement: PlacementId) {
        for job in self
            .facts
            .jobs
            .iter_mut()
            .filter(|job| job.placement == placement)
        {
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
        for job in self
            .facts
            .jobs
            .iter_mut()
            .filter(|job| job.placement == placement)
        {
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
        if self.facts.paused.is_some() && self.facts.rollback.is_none() && self.facts.ended.is_none() {
            self.facts.failures_forgiven = self.facts.failures_forgiven.max(self.facts.failures_to_forgive());
            self.facts.paused = None;
        }
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
            for job in 0..self.facts.jobs.len() {
                self.grant(job);
                self.stop(job);
                self.succeed(job);
            }
            let is_resting = self
                .facts
                .jobs
                .iter()
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

fn is_idle(state: JobState) -> bool {
    matches!(state, JobState::Queued | JobState::Offered | JobState::Deferred)
}
