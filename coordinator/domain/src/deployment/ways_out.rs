//! The ways out of a deployment that waits for a person, as the commands that take them. They are asked of the same
//! judges that refuse, so that nobody is sent to a refusal.

use super::facts::{DeploymentKind, Facts, PauseReason, ReleaseRef, RollbackDecision};
use crate::refusal::Refusal;

impl Facts {
    /// What a person may do about it now; nothing unless it waits for one.
    pub fn ways_out(&self) -> Vec<String> {
        let Some(paused) = &self.paused else {
            return Vec::new();
        };
        if self.ended.is_some() || self.cancel.is_some() {
            return Vec::new();
        }
        let number = self.number;
        let mut ways = match paused.why {
            _ if self.rollback.is_some() => Vec::new(),
            PauseReason::Failure | PauseReason::NoPreviousGood => self.ways_past_failures(),
            PauseReason::RollbackFailed | PauseReason::Migration | PauseReason::Asked => {
                vec![format!("pointsman resume {number}")]
            }
        };
        if self.may_go_back() {
            ways.push(format!("pointsman decide {number} rollback"));
        }
        ways.push(format!("pointsman cancel {number}"));
        ways
    }

    fn ways_past_failures(&self) -> Vec<String> {
        let number = self.number;
        let mut ways = Vec::new();
        if self.judge_retry(&[]).is_ok() {
            ways.push(format!("pointsman retry {number}"));
        }
        if self.hosts.iter().any(|host| self.judge_skip(&host.host).is_ok()) {
            ways.push(format!("pointsman skip {number} HOST"));
        }
        ways.push(format!("pointsman decide {number} continue"));
        ways
    }

    fn may_go_back(&self) -> bool {
        match &self.rollback {
            Some(earlier) => self.judge_another_try(earlier).is_ok(),
            None => self.migrations.forbidding.is_empty() && self.judge_way_back().is_ok(),
        }
    }

    /// The good release that was live when the deployment started, where a person may have it back.
    pub fn judge_way_back(&self) -> Result<ReleaseRef, Refusal> {
        let number = self.number;
        if self.cancel.is_some() {
            let what = format!("deployment #{number} is being cancelled");
            return Err(Refusal::conflict("cancelling", what).hint("roll back when it is over"));
        }
        if self.kind == DeploymentKind::Rollback {
            let what = format!("deployment #{number} is a rollback itself");
            return Err(Refusal::conflict("is_rollback", what)
                .hint(format!("pointsman cancel {number}, or deploy another release")));
        }
        self.from
            .clone()
            .filter(|from| from.id != self.release.id)
            .ok_or_else(|| {
                let what = format!("no other good release was live when deployment #{number} started");
                Refusal::conflict("no_previous_good", what).hint(format!("pointsman cancel {number}"))
            })
    }

    /// The same way back, once more on each host where it failed.
    pub fn judge_another_try(&self, earlier: &RollbackDecision) -> Result<RollbackDecision, Refusal> {
        let number = self.number;
        let failed = self
            .paused
            .as_ref()
            .is_some_and(|paused| paused.why == PauseReason::RollbackFailed);
        if failed && self.cancel.is_none() {
            return Ok(RollbackDecision {
                tries: earlier.tries.saturating_add(1),
                ..earlier.clone()
            });
        }
        let what = format!(
            "deployment #{number} is rolling back to {} already",
            earlier.to.label
        );
        Err(Refusal::conflict("rolling_back", what).hint(format!("pointsman watch {number}")))
    }

    /// Refuses what can only be said on the way forward.
    pub fn refuse_on_the_way_back(&self) -> Result<(), Refusal> {
        let number = self.number;
        if let Some(rollback) = &self.rollback {
            let what = format!("deployment #{number} is rolling back to {}", rollback.to.label);
            let ways = self.ways_out();
            let hint = if ways.is_empty() {
                format!("pointsman watch {number}")
            } else {
                ways.join(" | ")
            };
            return Err(Refusal::conflict("rolling_back", what).hint(hint));
        }
        if self.cancel.is_some() {
            let what = format!("deployment #{number} is being cancelled");
            return Err(Refusal::conflict("cancelling", what).hint(format!("pointsman watch {number}")));
        }
        Ok(())
    }
}
