//! Ways out of a state, shared by several events.

use chrono::{DateTime, Utc};
use pointsman_shared::outcome::{Effect as Change, Phase};

use super::event::{Effect, Step};
use super::state::{Ending, Failure, Job, JobEnding, State};

impl Job {
    pub(super) fn offered(self, until: DateTime<Utc>, mut effects: Vec<Effect>) -> Step {
        effects.push(Effect::Offer { epoch: self.epoch });
        Step {
            job: Self {
                state: State::Offered { until },
                ..self
            },
            effects,
        }
    }

    pub(super) fn ended(self, ending: Ending, mut effects: Vec<Effect>) -> Step {
        let state = State::Ended(ending.state());
        effects.push(Effect::Conclude(JobEnding::Final(ending)));
        Step {
            job: Self { state, ..self },
            effects,
        }
    }

    pub(super) fn indeterminate(self, reason: String, mut effects: Vec<Effect>) -> Step {
        effects.push(Effect::Conclude(JobEnding::Indeterminate { reason }));
        Step {
            job: Self {
                state: State::Indeterminate,
                ..self
            },
            effects,
        }
    }

    /// A cancel that nobody's work stands against. A switch of which an earlier epoch was lost may have taken effect:
    /// calling it cancelled would say that it did not.
    pub(super) fn cancelled(self, reason: String, effects: Vec<Effect>) -> Step {
        if self.unsettled && self.kind.is_switch() {
            let reason = format!("{reason}; an earlier attempt was lost and may have taken effect");
            return self.ended(Ending::Abandoned { reason }, effects);
        }
        self.ended(Ending::Cancelled { reason }, effects)
    }

    /// Offers the next epoch, or ends the job when every allowed one is used.
    pub(super) fn retried(self, why: &str, until: DateTime<Utc>, effects: Vec<Effect>) -> Step {
        if self.epoch.0 < self.max_epochs {
            return self.offered(until, effects);
        }
        let failure = Failure {
            phase: Phase::Exhausted,
            code: "exhausted".to_owned(),
            message: format!("{} attempts, none came to an end; the last: {why}", self.epoch),
            exit: None,
            effect: self.possible_effect(),
        };
        self.ended(Ending::Failed(failure), effects)
    }

    /// What a job that ends without a result may have changed.
    pub(super) const fn possible_effect(&self) -> Change {
        if self.unsettled && self.kind.is_switch() {
            return Change::Unknown;
        }
        Change::None
    }
}
