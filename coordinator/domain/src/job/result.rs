//! What a signed result does to a job: it counts for the current epoch only.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::Epoch;
use pointsman_shared::outcome::{Effect as Change, ExitReason, JobKind, Outcome};

use super::event::{AttemptEnding, Effect, Step};
use super::state::{Ending, Failure, Job, State};

impl Job {
    pub(super) fn result(self, epoch: Epoch, outcome: Outcome, until: DateTime<Utc>) -> Step {
        let current = epoch == self.epoch
            && match &self.state {
                State::Running { .. } => true,
                State::Indeterminate => self.kind == JobKind::Migrate,
                State::Queued | State::Offered { .. } | State::Deferred | State::Ended(_) => false,
            };
        if !current {
            return Step {
                job: self,
                effects: vec![Effect::NoteLate { epoch }],
            };
        }
        let closed = vec![Effect::EndAttempt {
            epoch,
            how: AttemptEnding::Result,
        }];
        match outcome {
            Outcome::Succeeded { product } => self.ended(Ending::Succeeded { product }, closed),
            Outcome::Cancelled => self.reported_cancelled(until, closed),
            Outcome::Failed {
                phase,
                code,
                message,
                exit,
                effect,
            } => {
                let failure = Failure {
                    phase,
                    code,
                    message,
                    exit,
                    effect,
                };
                self.reported_failed(failure, until, closed)
            }
        }
    }

    /// The agent stopped before its point of no return. When nobody asked for that (it was draining), the work is
    /// still wanted.
    fn reported_cancelled(self, until: DateTime<Utc>, closed: Vec<Effect>) -> Step {
        let asked = match &self.state {
            State::Running { cancel, .. } => cancel.clone(),
            State::Queued
            | State::Offered { .. }
            | State::Deferred
            | State::Indeterminate
            | State::Ended(_) => None,
        };
        match asked {
            Some(request) => self.cancelled(request.reason, closed),
            None if self.kind == JobKind::Migrate => {
                self.cancelled("its agent stopped it before it began".to_owned(), closed)
            }
            None => self.retried("its agent stopped it unasked", until, closed),
        }
    }

    /// An agent that gave up for want of beats is as good as lost: the work did not fail.
    fn reported_failed(self, failure: Failure, until: DateTime<Utc>, closed: Vec<Effect>) -> Step {
        let gave_up = failure
            .exit
            .as_ref()
            .is_some_and(|exit| exit.reason == ExitReason::LeaseLost);
        let asked = matches!(&self.state, State::Running { cancel: Some(_), .. });
        if gave_up && !asked && self.kind != JobKind::Migrate {
            if failure.effect == Change::None {
                return self.retried(&failure.message, until, closed);
            }
            let lost = vec![Effect::EndAttempt {
                epoch: self.epoch,
                how: AttemptEnding::Lost,
            }];
            let unsettled = true;
            return Self { unsettled, ..self }.retried(&failure.message, until, lost);
        }
        if self.kind == JobKind::Migrate && failure.effect == Change::Unknown {
            if self.state == State::Indeterminate {
                // It says no more than what is known already.
                let effects = vec![Effect::NoteLate { epoch: self.epoch }];
                return Step { job: self, effects };
            }
            return self.indeterminate(failure.message, closed);
        }
        // It speaks for its own epoch: a lost one before it may have switched all the same.
        let effect = match failure.effect {
            Change::None => self.possible_effect(),
            known @ (Change::Done | Change::Unknown) => known,
        };
        self.ended(Ending::Failed(Failure { effect, ..failure }), closed)
    }
}
