//! The fence: which decision a host last accepted, and the rule by which it accepts the next (protocol.md 3).
//!
//! Pure: the rule sees a fence and a claim and answers. It refuses to ask whether the claim is wise; a coordinator
//! that lost its database cannot talk a host back to an older decision, and neither can a worker that slept.

use std::collections::BTreeMap;

use pointsman_shared::ids::{Epoch, Generation, JobId, PlacementId};
use pointsman_shared::name::{ReleaseFolder, SlotName};
use serde::{Deserialize, Serialize};

/// What a root last accepted, slot by slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fence {
    /// Version of the file, 1.
    pub v: u16,
    /// The placement this root belongs to.
    pub placement: PlacementId,
    /// The slots.
    pub slots: BTreeMap<SlotName, SlotRecord>,
}

/// The last decision of one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotRecord {
    /// Its generation.
    pub generation: Generation,
    /// The job that carried it; none after an adoption.
    pub job: Option<JobId>,
    /// The epoch of that job.
    pub epoch: Epoch,
    /// What was live before it.
    pub from: Option<ReleaseFolder>,
    /// What it wants live; none after an adoption.
    pub to: Option<ReleaseFolder>,
    /// How far it came.
    pub phase: SwitchPhase,
}

/// How far a decision came on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwitchPhase {
    /// A coordinator set the generation; nothing was switched by it.
    Adopted,
    /// It was accepted; the link may or may not be switched.
    Begun,
    /// It ran to its end, well or not; the link is what it should be.
    Done,
}

/// Who wants to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The generation of the decision.
    pub generation: Generation,
    /// The job that carries it.
    pub job: JobId,
    /// Its epoch.
    pub epoch: Epoch,
}

/// Why a claim may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// A newer decision.
    Newer,
    /// The same decision again, by the same or a later attempt.
    Again,
}

/// Why a claim may not pass. The fence that refused it travels with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FenceRefusal {
    /// A newer decision stands.
    #[error(
        "generation {} is older than {}, which this host has accepted; it is not switched back by an old decision",
        claimed.generation, standing.generation
    )]
    Older {
        /// Who wanted to pass.
        claimed: Claimed,
        /// What stands.
        standing: SlotRecord,
    },
    /// Another job has this generation.
    #[error(
        "generation {} belongs to {} on this host, not to job {}; the coordinator gave one generation twice",
        claimed.generation, owner(standing), claimed.job
    )]
    OtherJob {
        /// Who wanted to pass.
        claimed: Claimed,
        /// What stands.
        standing: SlotRecord,
    },
    /// A later attempt of the same job already acted.
    #[error("epoch {} of job {} is over: epoch {} has acted on this host", claimed.epoch, claimed.job, standing.epoch)]
    OlderEpoch {
        /// Who wanted to pass.
        claimed: Claimed,
        /// What stands.
        standing: SlotRecord,
    },
}

fn owner(standing: &SlotRecord) -> String {
    standing
        .job
        .map_or_else(|| "an adoption".to_owned(), |job| format!("job {job}"))
}

impl FenceRefusal {
    /// The fence that refused.
    pub const fn standing(&self) -> &SlotRecord {
        match self {
            Self::Older { standing, .. }
            | Self::OtherJob { standing, .. }
            | Self::OlderEpoch { standing, .. } => standing,
        }
    }
}

impl SlotRecord {
    /// A slot that a coordinator set to `generation` while `live` was live.
    pub const fn adopted(generation: Generation, live: Option<ReleaseFolder>) -> Self {
        Self {
            generation,
            job: None,
            epoch: Epoch::NONE,
            from: live,
            to: None,
            phase: SwitchPhase::Adopted,
        }
    }

    /// Whether `claimed` may pass.
    pub fn accept(&self, claimed: Claimed) -> Result<Accepted, FenceRefusal> {
        let standing = || self.clone();
        if claimed.generation > self.generation {
            return Ok(Accepted::Newer);
        }
        if claimed.generation < self.generation {
            return Err(FenceRefusal::Older {
                claimed,
                standing: standing(),
            });
        }
        if self.job != Some(claimed.job) {
            return Err(FenceRefusal::OtherJob {
                claimed,
                standing: standing(),
            });
        }
        if claimed.epoch < self.epoch {
            return Err(FenceRefusal::OlderEpoch {
                claimed,
                standing: standing(),
            });
        }
        Ok(Accepted::Again)
    }

    /// The record that stands once `claimed` passed. `live` is what the link names now; a repeated decision keeps what
    /// was live before its first attempt.
    #[must_use]
    pub fn begun(
        &self,
        accepted: Accepted,
        claimed: Claimed,
        live: Option<ReleaseFolder>,
        to: ReleaseFolder,
    ) -> Self {
        let from = match accepted {
            Accepted::Newer => live,
            Accepted::Again => self.from.clone(),
        };
        Self {
            generation: claimed.generation,
            job: Some(claimed.job),
            epoch: claimed.epoch,
            from,
            to: Some(to),
            phase: SwitchPhase::Begun,
        }
    }

    /// Whether this record was written by `claimed`.
    pub fn is_of(&self, claimed: Claimed) -> bool {
        self.generation == claimed.generation && self.job == Some(claimed.job) && self.epoch == claimed.epoch
    }
}

impl Fence {
    /// A fence whose slots all stand at `generation`; `live` says what each slot's link names.
    pub fn adopted(
        placement: PlacementId,
        generation: Generation,
        slots: impl IntoIterator<Item = (SlotName, Option<ReleaseFolder>)>,
    ) -> Self {
        let record = |(slot, live)| (slot, SlotRecord::adopted(generation, live));
        Self {
            v: 1,
            placement,
            slots: slots.into_iter().map(record).collect(),
        }
    }

    /// Raises `slots` to `generation` where they stand lower or are missing; says whether anything changed.
    pub fn raise(
        &mut self,
        generation: Generation,
        slots: impl IntoIterator<Item = (SlotName, Option<ReleaseFolder>)>,
    ) -> bool {
        let mut changed = false;
        for (slot, live) in slots {
            if self
                .slots
                .get(&slot)
                .is_none_or(|record| record.generation < generation)
            {
                self.slots.insert(slot, SlotRecord::adopted(generation, live));
                changed = true;
            }
        }
        changed
    }
}

#[cfg(test)]
#[path = "fence_tests.rs"]
mod tests;
