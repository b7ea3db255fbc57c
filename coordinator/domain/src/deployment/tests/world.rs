//! The world around one deployment: it performs decisions as the store does, and lets things happen to jobs and hosts.
//!
//! Every step asserts what must always hold.

mod happenings;
mod people;

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::{OnFailure, Strategy};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::ids::{DeploymentId, JobId, PlacementId, ReleaseId};
use pointsman_shared::outcome::JobKind;
use uuid::Uuid;

use crate::deployment::{
    Decision, DeploymentKind, DeploymentOutcome, Ended, Facts, HostFacts, JobFacts, MigrationFacts,
    PauseReason, ReleaseFacts, ReleaseRef, decide,
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
            usable: true,
            deferred: None,
            skipped: None,
            retried: 0,
            accepted: 0,
            drift: None,
            retired: false,
            has: vec![OLD],
            confirmed: Some(OLD),
            well: true,
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
            expires_at: None,
            locked: None,
            started_at: None,
            from: Some(release(OLD)),
            paused: None,
            pause_wish: None,
            failures_forgiven: 0,
            rollback: None,
            cancel: None,
            ended: None,
            behind: None,
            newer: None,
            hosts: (0..hosts).map(host).collect(),
            jobs: Vec::new(),
            migrations: MigrationFacts {
                tries: 1,
                ..MigrationFacts::default()
            },
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
            Decision::Start { from, hosts } => self.start(from, &hosts),
            Decision::Install { placement, undo, .. } => self.order(JobKind::Install, placement, undo),
            Decision::Migrate { placement, release } => self.migrate(placement, release),
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
            Decision::Defer { placement, why } => self.defer(placement, why),
            Decision::Cancel { job, reason } => self.cancel_job(job, reason),
            Decision::Pause(paused) => {
                assert!(self.facts.paused.is_none(), "it is paused once");
                if paused.why == PauseReason::Asked {
                    self.facts.pause_wish = None;
                }
                self.facts.paused = Some(paused);
            }
            Decision::RollBack(rollback) => {
                assert!(self.facts.rollback.is_none(), "it rolls back by itself once");
                self.facts.rollback = Some(rollback);
            }
            Decision::End { outcome, detail } => {
                assert!(self.facts.ended.is_none(), "the outcome is written once");
                assert!(
                    self.jobs().all(|job| job.state.is_final()),
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

    fn start(&mut self, from: Option<ReleaseRef>, hosts: &[(PlacementId, u32)]) {
        assert!(self.facts.started_at.is_none(), "it starts once");
        self.facts.started_at = Some(self.now);
        self.facts.from = from;
        for (placement, wave) in hosts {
            let host = self.index(*placement);
            self.facts.hosts[host].wave = *wave;
        }
        self.facts
            .hosts
            .sort_by_key(|host| (host.wave, host.host.clone()));
    }

    fn defer(&mut self, placement: PlacementId, why: String) {
        let host = self.index(placement);
        self.facts.hosts[host].deferred.get_or_insert(why);
        let jobs = self.jobs_mut().filter(|job| job.placement == placement);
        for job in jobs.filter(|job| is_idle(job.state)) {
            job.state = JobState::Superseded;
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
        let migrations = &facts.migrations;
        let applied = migrations.jobs.iter().any(|job| job.state == JobState::Succeeded);
        assert!(
            applied || !migrations.pre,
            "no host switches before its pre-migrations are applied"
        );
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

    fn migrate(&mut self, placement: PlacementId, release: ReleaseId) {
        let facts = &self.facts;
        assert!(
            facts.hosts[self.index(placement)].has.contains(&release),
            "migrations run where the release lies"
        );
        assert!(
            facts.migrations.jobs.iter().all(|job| job.state.is_final()),
            "one run at a time"
        );
        let fell_short = |job: &&JobFacts| matches!(job.state, JobState::Failed | JobState::Cancelled);
        let failed = facts.migrations.jobs.iter().filter(fell_short).count();
        assert!(
            failed < facts.migrations.tries as usize,
            "nothing is tried again unasked"
        );
        let job = self.job_on(JobKind::Migrate, placement, false);
        self.facts.migrations.jobs.push(job);
    }

    /// Every job, those on hosts first.
    pub fn jobs(&self) -> impl Iterator<Item = &JobFacts> {
        self.facts.jobs.iter().chain(&self.facts.migrations.jobs)
    }

    pub fn jobs_mut(&mut self) -> impl Iterator<Item = &mut JobFacts> {
        self.facts.jobs.iter_mut().chain(&mut self.facts.migrations.jobs)
    }

    fn order(&mut self, kind: JobKind, placement: PlacementId, undo: bool) {
        let job = self.job_on(kind, placement, undo);
        self.facts.jobs.push(job);
    }

    fn job_on(&self, kind: JobKind, placement: PlacementId, undo: bool) -> JobFacts {
        let number = i64::try_from(self.jobs().count()).unwrap() + 1;
        let seen = self.facts.hosts[self.index(placement)].seen;
        JobFacts {
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
        }
    }

    fn cancel_job(&mut self, id: JobId, reason: String) {
        let job = self.jobs_mut().find(|job| job.id == id).unwrap();
        if job.state == JobState::Indeterminate {
            job.state = JobState::Abandoned;
        } else if is_idle(job.state) {
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
        let mut hosts = self.facts.hosts.iter();
        hosts.position(|host| host.placement == placement).unwrap()
    }
}

fn is_idle(state: JobState) -> bool {
    matches!(state, JobState::Queued | JobState::Offered | JobState::Deferred)
}
