//! What a placement looks like right now, for reports: only read, never mended.
//!
//! A root that cannot be read is reported with its problem, not left out. The digest over all placements lets a
//! coordinator notice that it no longer knows a host; free space is not part of it, it changes with every log line.

use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PlacementId;
use pointsman_shared::name::{ReleaseFolder, RootPath, SlotName};
use pointsman_shared::wire::from_agent::{FenceState, SlotState};
use serde::Serialize;

use super::{Fence, FenceFile, Root, SlotLink, SwitchPhase};
use crate::describe::describe;
use crate::dir::FileError;
use crate::journal::RootRecord;

/// The facts of one placement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlacementFacts {
    /// The placement.
    pub placement: PlacementId,
    /// Its root.
    pub root: RootPath,
    /// Each slot's fence and link, sorted.
    pub slots: Vec<SlotState>,
    /// Complete releases, sorted.
    pub releases: Vec<ReleaseFolder>,
    /// What is wrong with the root, for people.
    pub problem: Option<String>,
    /// Free bytes on its filesystem.
    #[serde(skip)]
    pub free_bytes: u64,
    /// All bytes of it.
    #[serde(skip)]
    pub total_bytes: u64,
}

/// SHA-256 over the facts of all placements, in order of their ids.
pub fn state_digest(facts: &[PlacementFacts]) -> Digest {
    let mut sorted: Vec<_> = facts.iter().collect();
    sorted.sort_by_key(|facts| facts.placement);
    // Serializing plain strings and numbers into memory cannot fail; an empty text would only cost one more hello.
    Digest::of(&serde_json::to_vec(&sorted).unwrap_or_default())
}

impl PlacementFacts {
    /// Reads the facts of a recorded root.
    pub fn read(record: &RootRecord) -> Self {
        let mut facts = Self {
            placement: record.placement,
            root: record.root.clone(),
            slots: Vec::new(),
            releases: Vec::new(),
            problem: None,
            free_bytes: 0,
            total_bytes: 0,
        };
        let problem = match Root::look(&record.root) {
            Ok(root) => {
                let unread = facts.fill(&root).err().map(|error| describe(&error));
                unread.or_else(|| root.may_work().err().map(|error| describe(&error)))
            }
            Err(error) => Some(describe(&error)),
        };
        facts.problem = problem.or(facts.problem);
        facts
    }

    fn fill(&mut self, root: &Root) -> Result<(), FileError> {
        self.free_bytes = root.free()?.0;
        self.total_bytes = root.size()?;
        self.releases = root.complete_releases()?;
        let fence = root.fence()?;
        let current = |fence| Ok::<_, FileError>(vec![slot_state(root, SlotName::current(), fence)?]);
        self.slots = match &fence {
            FenceFile::Standing(fence) if fence.placement != self.placement => {
                self.problem = Some(format!("the root belongs to placement {}", fence.placement));
                current(FenceState::Missing)?
            }
            FenceFile::Standing(fence) => {
                let state = |slot: &SlotName| slot_state(root, slot.clone(), fence_state(fence, slot));
                fence.slots.keys().map(state).collect::<Result<_, _>>()?
            }
            FenceFile::Missing => current(FenceState::Missing)?,
            FenceFile::Damaged { .. } => current(FenceState::Damaged)?,
        };
        self.problem = self.problem.take().or_else(|| self.broken_slot());
        Ok(())
    }

    /// Whether each link names a complete release. Cheap, as it is asked with every beat; recovery looks closer.
    fn broken_slot(&self) -> Option<String> {
        let current = |state: &SlotState| state.current.clone().map(|folder| (state.slot.clone(), folder));
        let mut named = self.slots.iter().filter_map(current);
        let (slot, folder) = named.find(|(_, folder)| self.releases.binary_search(folder).is_err())?;
        Some(format!(
            "{slot} names {folder}, which is no complete release here"
        ))
    }
}

fn slot_state(root: &Root, slot: SlotName, fence: FenceState) -> Result<SlotState, FileError> {
    let (current, foreign) = match root.slot_link(&slot)? {
        SlotLink::Absent => (None, None),
        SlotLink::Release(folder) => (Some(folder), None),
        SlotLink::Foreign(text) => (None, Some(text)),
    };
    Ok(SlotState {
        slot,
        fence,
        current,
        foreign,
    })
}

fn fence_state(fence: &Fence, slot: &SlotName) -> FenceState {
    fence
        .slots
        .get(slot)
        .map_or(FenceState::Missing, |record| FenceState::Standing {
            generation: record.generation,
            job: record.job,
            epoch: record.epoch,
            to: record.to.clone(),
            done: match record.phase {
                SwitchPhase::Adopted | SwitchPhase::Done => true,
                SwitchPhase::Begun => false,
            },
        })
}
