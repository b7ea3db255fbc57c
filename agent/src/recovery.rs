//! What an agent does before it says hello: end what its predecessor left running, clear what a crash left lying, and
//! make sure that every link names a release that can be trusted.
//!
//! It can be killed anywhere and run again. It refuses to finish anything: a switch that was interrupted is reported, and
//! the coordinator decides. It mends one thing only, a link that leads nowhere or to an incomplete release; a link that
//! somebody pointed elsewhere, and one that is gone, are drift, which is shown and not mended.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::ids::PlacementId;
use pointsman_shared::name::SlotName;
use pointsman_shared::wire::from_agent::Fault;
use rustix::process::Signal;
use tokio::time::Instant;

use crate::crash_point;
use crate::describe::describe;
use crate::dir::FileError;
use crate::journal::{RootRecord, StateFolder};
use crate::layout::{
    FenceFile, LinkError, LockError, Root, RootError, RootLock, SlotLink, SlotRecord, SwitchPhase,
};
use crate::process::{GroupRecord, live_members, signal_group};

/// How often surviving groups are counted.
const COUNT_EVERY: Duration = Duration::from_millis(50);
/// How long another process may hold a root's lock before the root is reported instead of recovered.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// How long surviving groups are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Between TERM and KILL.
    pub grace: Duration,
    /// In all; what lives then keeps its placement closed.
    pub refusal: Duration,
}

impl Default for Patience {
    /// 10 s between TERM and KILL, 30 s in all (protocol.md 3).
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(10),
            refusal: Duration::from_secs(30),
        }
    }
}

/// What recovery found.
#[derive(Debug, Default)]
pub struct Recovered {
    /// What the coordinator should hear, in order of placements.
    pub faults: Vec<Fault>,
    /// Groups that would not end. Their placements stay closed until [`live_members`] counts none.
    pub survivors: Vec<GroupRecord>,
}

/// A root that could not be recovered; it is reported and left alone.
#[derive(Debug, thiserror::Error)]
enum RecoveryError {
    #[error(transparent)]
    Root(#[from] RootError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Recovers everything this agent's predecessors may have touched.
pub async fn recover(state: &StateFolder, patience: Patience) -> Recovered {
    let mut recovered = Recovered {
        survivors: end_groups(state, patience).await,
        faults: Vec::new(),
    };
    crash_point!(C20);
    let closed: BTreeSet<PlacementId> = recovered
        .survivors
        .iter()
        .filter_map(|group| group.placement)
        .collect();
    for record in state.roots.all() {
        if closed.contains(&record.placement) {
            continue;
        }
        if let Err(error) = recover_root(&record, &mut recovered.faults).await {
            recovered
                .faults
                .push(fault(&record, "root_problem", describe(&error)));
        }
    }
    recovered
}

/// Ends the recorded groups and forgets those that are gone; answers with those that would not go.
async fn end_groups(state: &StateFolder, patience: Patience) -> Vec<GroupRecord> {
    let begun = Instant::now();
    let mut killed = false;
    let mut groups = state.groups.all();
    for group in &groups {
        signal_group(group, Signal::TERM);
    }
    loop {
        groups.retain(|group| {
            let lives = live_members(group) > 0;
            if !lives && let Err(error) = state.groups.remove(group) {
                tracing::warn!(%error, "a process group that is gone stays in the journal");
            }
            lives
        });
        let waited = begun.elapsed();
        if groups.is_empty() || waited >= patience.refusal {
            return groups;
        }
        if !killed && waited >= patience.grace {
            killed = true;
            for group in &groups {
                signal_group(group, Signal::KILL);
            }
        }
        crash_point!(C20);
        tokio::time::sleep(COUNT_EVERY).await;
    }
}

async fn recover_root(record: &RootRecord, faults: &mut Vec<Fault>) -> Result<(), RecoveryError> {
    let root = Arc::new(Root::open(&record.root)?);
    let lock = RootLock::take(&root, LOCK_PATIENCE).await?;
    remove_unfinished(&root)?;
    crash_point!(C20);
    let fence = root.fence()?;
    let slots: Vec<(SlotName, Option<SlotRecord>)> = match fence {
        FenceFile::Standing(fence) => fence
            .slots
            .into_iter()
            .map(|(slot, found)| (slot, Some(found)))
            .collect(),
        FenceFile::Missing => vec![(SlotName::current(), None)],
        FenceFile::Damaged { reason } => {
            let message = format!(
                "the fence of {} is damaged ({reason}); it waits to be adopted",
                record.root
            );
            faults.push(fault(record, "fence_damaged", message));
            vec![(SlotName::current(), None)]
        }
    };
    for (slot, fenced) in slots {
        lock.remove_temporary_link(&slot)?;
        crash_point!(C20);
        if let Some(reason) = why_broken(&root, &slot)? {
            faults.push(mend(record, &lock, &slot, fenced.as_ref(), &reason)?);
            crash_point!(C20);
        }
        if let Some(fenced) = fenced.filter(|fenced| fenced.phase == SwitchPhase::Begun) {
            faults.push(interrupted(record, &root, &slot, &fenced)?);
        }
    }
    Ok(())
}

/// Removes half-made releases. No job of this process has begun yet, so none of them belongs to a live one.
fn remove_unfinished(root: &Root) -> Result<(), FileError> {
    for name in root.releases().names()? {
        if name.starts_with(".tmp-") {
            let path = root.releases().path().join(&name);
            fs_err::remove_dir_all(&path).map_err(|error| FileError::new("remove", &path, error))?;
            crash_point!(C20);
        }
    }
    root.releases().sync()
}

/// Why a slot's link leads nowhere good; none when it is fine, or when it is somebody's own choice.
fn why_broken(root: &Root, slot: &SlotName) -> Result<Option<String>, FileError> {
    Ok(match root.slot_link(slot)? {
        SlotLink::Absent => None,
        SlotLink::Release(folder) => root.check_release(&folder).err().map(|error| describe(&error)),
        SlotLink::Foreign(text) => {
            let leads_somewhere = Path::new(root.path().as_str()).join(slot.as_str()).exists();
            (!leads_somewhere).then(|| format!("it leads to {text}, where nothing is"))
        }
    })
}

/// Points a broken link at what was live or was to be live, whichever can be trusted.
fn mend(
    record: &RootRecord,
    lock: &RootLock,
    slot: &SlotName,
    fenced: Option<&SlotRecord>,
    reason: &str,
) -> Result<Fault, RecoveryError> {
    let candidates = fenced.map_or([None, None], |fenced| match fenced.phase {
        SwitchPhase::Done => [fenced.to.clone(), fenced.from.clone()],
        // An interrupted switch is not finished here: what was live goes first.
        SwitchPhase::Begun | SwitchPhase::Adopted => [fenced.from.clone(), fenced.to.clone()],
    });
    let trusted = candidates
        .into_iter()
        .flatten()
        .find(|folder| lock.root().check_release(folder).is_ok());
    let Some(folder) = trusted else {
        let message = format!(
            "{slot} of {} is broken: {reason}; no release it was at can be trusted",
            record.root
        );
        return Ok(fault(record, "current_broken", message));
    };
    lock.switch_link(slot, &folder)?;
    let message = format!(
        "{slot} of {} was broken: {reason}; it names {folder} now",
        record.root
    );
    Ok(fault(record, "current_repaired", message))
}

fn interrupted(
    record: &RootRecord,
    root: &Root,
    slot: &SlotName,
    fenced: &SlotRecord,
) -> Result<Fault, RecoveryError> {
    let renaming = root.progress()?.is_some_and(|progress| {
        (progress.generation, Some(progress.job), progress.epoch)
            == (fenced.generation, fenced.job, fenced.epoch)
    });
    let how_far = if renaming {
        "at the rename"
    } else {
        "before the rename"
    };
    let live = match root.slot_link(slot)? {
        SlotLink::Absent => "nothing".to_owned(),
        SlotLink::Release(folder) => folder.to_string(),
        SlotLink::Foreign(text) => text,
    };
    let wanted = fenced
        .to
        .as_ref()
        .map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let message = format!(
        "the switch of {slot} in {} to {wanted} (generation {}) was interrupted {how_far}; {live} is live, and the \
         coordinator decides what follows",
        record.root, fenced.generation
    );
    Ok(fault(record, "switch_interrupted", message))
}

fn fault(record: &RootRecord, code: &str, message: String) -> Fault {
    tracing::warn!(placement = %record.placement, code, "{message}");
    Fault {
        placement: Some(record.placement),
        code: code.to_owned(),
        message,
    }
}
