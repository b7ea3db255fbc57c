//! `.pointsman/fence`: reading, writing and adopting.
//!
//! A missing and a damaged fence are told apart, and neither is ever mended here by guessing: only a signed adoption
//! may create one.

use pointsman_shared::ids::{Generation, PlacementId};
use pointsman_shared::name::{ReleaseFolder, SlotName};

use super::{Accepted, Claimed, Fence, FenceRefusal, Root, RootLock, SlotRecord, SwitchPhase};
use crate::dir::FileError;

const FILE: &str = "fence";

/// The fence as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FenceFile {
    /// There is none.
    Missing,
    /// There is one that cannot be read.
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
    /// It stands.
    Standing(Fence),
}

/// The fence did not let a switch pass.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    /// The slot was never adopted.
    #[error(
        "the root {root} has no fence for slot {slot}; nothing is switched here before the coordinator adopts the placement"
    )]
    Missing {
        /// The root.
        root: String,
        /// The slot.
        slot: SlotName,
    },
    /// There is no fence at all.
    #[error("the root {root} has no fence; nothing is done here before the coordinator adopts the placement")]
    NotAdopted {
        /// The root.
        root: String,
    },
    /// The file is not what we wrote.
    #[error(
        "the fence of {root} is damaged ({reason}); nothing is switched here before the coordinator adopts the placement again"
    )]
    Damaged {
        /// The root.
        root: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The root belongs to another placement.
    #[error(
        "the root {root} belongs to placement {owner}, not to {asked}; two targets of one host need different roots, \
         and a root that is to change hands needs its `.pointsman/fence` removed by hand"
    )]
    OtherPlacement {
        /// The root.
        root: String,
        /// Whose it is.
        owner: PlacementId,
        /// Who asked.
        asked: PlacementId,
    },
    /// The rule refused.
    #[error(transparent)]
    Refused(#[from] FenceRefusal),
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Root {
    /// Reads the fence.
    pub fn fence(&self) -> Result<FenceFile, FileError> {
        let Some(bytes) = self.own.read(FILE)? else {
            return Ok(FenceFile::Missing);
        };
        Ok(match serde_json::from_slice::<Fence>(&bytes) {
            Ok(fence) if fence.v == 1 => FenceFile::Standing(fence),
            Ok(fence) => FenceFile::Damaged {
                reason: format!("version {} is unknown to this agent", fence.v),
            },
            Err(error) => FenceFile::Damaged {
                reason: error.to_string(),
            },
        })
    }

    /// Nothing is done in a root whose placement was not adopted, or that belongs to another one.
    pub fn require_adopted(&self, placement: PlacementId) -> Result<Fence, FenceError> {
        let root = self.path().to_string();
        match self.fence()? {
            FenceFile::Missing => Err(FenceError::NotAdopted { root }),
            FenceFile::Damaged { reason } => Err(FenceError::Damaged { root, reason }),
            FenceFile::Standing(fence) if fence.placement != placement => Err(FenceError::OtherPlacement {
                root,
                owner: fence.placement,
                asked: placement,
            }),
            FenceFile::Standing(fence) => Ok(fence),
        }
    }

    fn standing_fence(
        &self,
        placement: PlacementId,
        slot: &SlotName,
    ) -> Result<(Fence, SlotRecord), FenceError> {
        let fence = self.require_adopted(placement)?;
        let missing = || FenceError::Missing {
            root: self.path().to_string(),
            slot: slot.clone(),
        };
        let record = fence.slots.get(slot).cloned().ok_or_else(missing)?;
        Ok((fence, record))
    }
}

impl RootLock {
    /// Whether `claimed` may pass, without writing anything.
    pub fn may_pass(
        &self,
        placement: PlacementId,
        slot: &SlotName,
        claimed: Claimed,
    ) -> Result<Accepted, FenceError> {
        let (_, record) = self.root.standing_fence(placement, slot)?;
        Ok(record.accept(claimed)?)
    }

    /// Lets `claimed` pass: the fence says so durably when this returns.
    pub fn pass(
        &self,
        placement: PlacementId,
        slot: &SlotName,
        claimed: Claimed,
        live: Option<ReleaseFolder>,
        to: ReleaseFolder,
    ) -> Result<SlotRecord, FenceError> {
        let (mut fence, record) = self.root.standing_fence(placement, slot)?;
        let begun = record.begun(record.accept(claimed)?, claimed, live, to);
        fence.slots.insert(slot.clone(), begun.clone());
        self.write_fence(&fence)?;
        Ok(begun)
    }

    /// Marks the decision of `claimed` as run to its end; a fence that moved on is left alone.
    pub fn settle(
        &self,
        placement: PlacementId,
        slot: &SlotName,
        claimed: Claimed,
    ) -> Result<(), FenceError> {
        let (mut fence, mut record) = self.root.standing_fence(placement, slot)?;
        if !record.is_of(claimed) || record.phase == SwitchPhase::Done {
            return Ok(());
        }
        record.phase = SwitchPhase::Done;
        fence.slots.insert(slot.clone(), record);
        Ok(self.write_fence(&fence)?)
    }

    /// Marks the decision of `claimed` as one that changed nothing: `live` is what the link still names.
    pub fn call_off(
        &self,
        placement: PlacementId,
        slot: &SlotName,
        claimed: Claimed,
        live: Option<ReleaseFolder>,
    ) -> Result<(), FenceError> {
        let (mut fence, mut record) = self.root.standing_fence(placement, slot)?;
        if !record.is_of(claimed) {
            return Ok(());
        }
        (record.to, record.phase) = (live, SwitchPhase::Done);
        fence.slots.insert(slot.clone(), record);
        Ok(self.write_fence(&fence)?)
    }

    /// Creates the fence, or raises it; never lowers one. A damaged fence is replaced.
    pub fn adopt(
        &self,
        placement: PlacementId,
        slots: &[SlotName],
        generation: Generation,
    ) -> Result<Fence, FenceError> {
        let mut live = Vec::with_capacity(slots.len());
        for slot in slots {
            live.push((slot.clone(), self.root.slot_link(slot)?.release().cloned()));
        }
        let fence = match self.root.fence()? {
            FenceFile::Missing | FenceFile::Damaged { .. } => Fence::adopted(placement, generation, live),
            FenceFile::Standing(fence) if fence.placement != placement => {
                let root = self.root.path().to_string();
                return Err(FenceError::OtherPlacement {
                    root,
                    owner: fence.placement,
                    asked: placement,
                });
            }
            FenceFile::Standing(mut fence) => {
                if !fence.raise(generation, live) {
                    return Ok(fence);
                }
                fence
            }
        };
        self.write_fence(&fence)?;
        Ok(fence)
    }

    fn write_fence(&self, fence: &Fence) -> Result<(), FileError> {
        let path = || self.root.own.path().join(FILE);
        let bytes = serde_json::to_vec_pretty(fence)
            .map_err(|error| FileError::new("write", path(), std::io::Error::other(error)))?;
        self.root.own.replace(FILE, &bytes)
    }
}
