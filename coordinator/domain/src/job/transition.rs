//! The one function that changes a job.

use pointsman_shared::ids::{Epoch, InstanceId};
use pointsman_shared::outcome::{JobKind, Phase};

use super::event::{AttemptEnding, Effect, JobEvent, Refused, Step};
use super::state::{CancelRequest, Ending, Failure, Job, JobEnding, State};

type Time = chrono::DateTime<chrono::Utc>;

impl Job {
    /// What becomes of the job when `event` happens.
    pub fn apply(self, event: JobEvent) -> Result<Step, Refused> {
        let refused = Refused {
            state: self.state.name().as_str(),
            event: event.name(),
            why: "it does not fit this state",
        };
        match event {
            JobEvent::Offer { until } => self.offer(until, refused),
            JobEvent::Unseen { why } => self.unseen(why, refused),
            JobEvent::Claim {
                epoch,
                by,
                lease_until,
            } => self.claim(epoch, by, lease_until, refused),
            JobEvent::Rejected { epoch, code, message } => {
                self.unstartable(Some(epoch), Phase::Refused, code, message, refused)
            }
            JobEvent::Unreadable { epoch, message } => {
                self.unstartable(Some(epoch), Phase::Refused, "offer_unreadable", message, refused)
            }
            JobEvent::StartDeadline { reason } => {
                self.unstartable(None, Phase::NoAgent, "no_agent", reason, refused)
            }
            JobEvent::NotBegun {
                epoch,
                instance,
                until,
            } => self.not_begun(epoch, instance, until, refused),
            JobEvent::Beat {
                epoch,
                instance,
                lease_until,
            } => self.beat(epoch, instance, lease_until, refused),
            JobEvent::Lost {
                epoch,
                how,
                why,
                until,
            } => self.lost(epoch, how, why, until, refused),
            JobEvent::Result {
                epoch,
                outcome,
                until,
            } => Ok(self.result(epoch, outcome, until)),
            JobEvent::Cancel(request) => self.cancel(request, refused),
            JobEvent::Supersede { reason } => self.supersede(reason, refused),
        }
    }

    fn offer(self, until: Time, refused: Refused) -> Result<Step, Refused> {
        match self.state {
            State::Queued | State::Offered { .. } | State::Deferred => Ok(self.offered(until, Vec::new())),
            State::Running { .. } | State::Indeterminate | State::Ended(_) => Err(refused),
        }
    }

    fn unseen(self, why: String, refused: Refused) -> Result<Step, Refused> {
        match self.state {
            State::Queued | State::Offered { .. } if self.for_host => Ok(Step {
                job: Self {
                    state: State::Deferred,
                    ..self
                },
                effects: vec![Effect::Conclude(JobEnding::Deferred { reason: why })],
            }),
            State::Queued | State::Offered { .. } => Err(refused.because("it is not for one host")),
            State::Running { .. } | State::Deferred | State::Indeterminate | State::Ended(_) => Err(refused),
        }
    }

    fn claim(
        self,
        epoch: Epoch,
        by: super::event::Claimant,
        lease_until: Time,
        refused: Refused,
    ) -> Result<Step, Refused> {
        let State::Offered { .. } = self.state else {
            return Err(refused);
        };
        if epoch != self.epoch {
            return Err(refused.because("the claim names another epoch"));
        }
        let granted = self.epoch.next();
        Ok(Step {
            job: Self {
                epoch: granted,
                state: State::Running {
                    worker: by.host,
                    instance: by.instance,
                    lease_until,
                    cancel: None,
                },
                ..self
            },
            effects: vec![Effect::Grant { epoch: granted }],
        })
    }

    /// Ends a job that nobody works on because nobody can start it.
    fn unstartable(
        self,
        epoch: Option<Epoch>,
        phase: Phase,
        code: &str,
        message: String,
        refused: Refused,
    ) -> Result<Step, Refused> {
        let State::Offered { .. } = self.state else {
            return Err(refused);
        };
        if epoch.is_some_and(|epoch| epoch != self.epoch) {
            return Err(refused.because("it names another epoch"));
        }
        let effect = self.possible_effect();
        let failure = Failure {
            phase,
            code: code.to_owned(),
            message,
            exit: None,
            effect,
        };
        Ok(self.ended(Ending::Failed(failure), Vec::new()))
    }

    fn not_begun(
        self,
        epoch: Epoch,
        instance: InstanceId,
        until: Time,
        refused: Refused,
    ) -> Result<Step, Refused> {
        if epoch != self.epoch {
            return Err(refused.because("it names another epoch"));
        }
        let cancel = match &self.state {
            State::Running {
                instance: owner,
                cancel,
                ..
            } if *owner == instance => cancel.clone(),
            // The lease of a migration ran out while its grant was on the way: nothing began, so it may be offered.
            State::Indeterminate => None,
            State::Running { .. } => return Err(refused.because("another process owns the epoch")),
            State::Queued | State::Offered { .. } | State::Deferred | State::Ended(_) => return Err(refused),
        };
        let closed = vec![Effect::EndAttempt {
            epoch,
            how: AttemptEnding::NotBegun,
        }];
        Ok(match cancel {
            Some(request) => self.cancelled(request.reason, closed),
            None => self.retried("its grants arrived too late", until, closed),
        })
    }

    fn beat(
        self,
        epoch: Epoch,
        instance: InstanceId,
        renewed: Time,
        refused: Refused,
    ) -> Result<Step, Refused> {
        match self.state {
            State::Running {
                worker,
                instance: owner,
                lease_until,
                cancel,
            } if epoch == self.epoch && owner == instance => Ok(Step {
                job: Self {
                    state: State::Running {
                        worker,
                        instance: owner,
                        // A beat that was overtaken never shortens a lease.
                        lease_until: lease_until.max(renewed),
                        cancel,
                    },
                    ..self
                },
                effects: Vec::new(),
            }),
            State::Queued
            | State::Offered { .. }
            | State::Running { .. }
            | State::Deferred
            | State::Indeterminate
            | State::Ended(_) => Err(refused.because("the epoch is not this process's any more")),
        }
    }

    fn lost(
        self,
        epoch: Epoch,
        how: AttemptEnding,
        why: String,
        until: Time,
        refused: Refused,
    ) -> Result<Step, Refused> {
        let State::Running { cancel, .. } = &self.state else {
            return Err(refused);
        };
        if epoch != self.epoch {
            return Err(refused.because("it names another epoch"));
        }
        let closed = vec![Effect::EndAttempt { epoch, how }];
        let cancel = cancel.clone();
        let lost = Self {
            unsettled: true,
            ..self
        };
        Ok(match (lost.kind, cancel) {
            (JobKind::Migrate, _) => lost.indeterminate(why, closed),
            (JobKind::Build | JobKind::Install | JobKind::CollectGarbage, Some(request)) => lost.ended(
                Ending::Cancelled {
                    reason: request.reason,
                },
                closed,
            ),
            (JobKind::Activate | JobKind::Rollback, Some(request)) => {
                let reason = format!("{}; {why}", request.reason);
                lost.ended(Ending::Abandoned { reason }, closed)
            }
            (
                JobKind::Build
                | JobKind::Install
                | JobKind::CollectGarbage
                | JobKind::Activate
                | JobKind::Rollback,
                None,
            ) => lost.retried(&why, until, closed),
        })
    }

    fn cancel(self, request: CancelRequest, refused: Refused) -> Result<Step, Refused> {
        match &self.state {
            State::Queued | State::Offered { .. } | State::Deferred => {
                Ok(self.cancelled(request.reason, Vec::new()))
            }
            State::Indeterminate => {
                let reason = format!("{}; whether it took effect is unknown", request.reason);
                Ok(self.ended(Ending::Abandoned { reason }, Vec::new()))
            }
            State::Running { cancel: Some(_), .. } => Err(refused.because("its cancel was requested before")),
            State::Running {
                worker,
                instance,
                lease_until,
                cancel: None,
            } => {
                let effects = vec![Effect::PushCancel {
                    epoch: self.epoch,
                    worker: worker.clone(),
                    instance: *instance,
                    reason: request.reason.clone(),
                }];
                let state = State::Running {
                    worker: worker.clone(),
                    instance: *instance,
                    lease_until: *lease_until,
                    cancel: Some(request),
                };
                Ok(Step {
                    job: Self { state, ..self },
                    effects,
                })
            }
            State::Ended(_) => Err(refused.because("it is over")),
        }
    }

    fn supersede(self, reason: String, refused: Refused) -> Result<Step, Refused> {
        match self.state {
            State::Queued | State::Offered { .. } | State::Deferred => {
                Ok(self.ended(Ending::Superseded { reason }, Vec::new()))
            }
            State::Running { .. } => Err(refused.because("a running job is waited for")),
            State::Indeterminate | State::Ended(_) => Err(refused),
        }
    }
}

impl Refused {
    const fn because(mut self, why: &'static str) -> Self {
        self.why = why;
        self
    }
}
