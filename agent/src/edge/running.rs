//! The epochs whose workers live in this process, and how many are over.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pointsman_shared::wire::from_agent::WorkingOn;

/// A set that workers enter and leave.
#[derive(Debug, Default)]
pub(super) struct RunningSet {
    working: Mutex<HashSet<WorkingOn>>,
    done: AtomicU64,
}

impl RunningSet {
    pub(super) fn enter(&self, work: WorkingOn) {
        self.lock().insert(work);
    }

    pub(super) fn leave(&self, work: WorkingOn) {
        self.lock().remove(&work);
    }

    pub(super) fn has(&self, work: WorkingOn) -> bool {
        self.lock().contains(&work)
    }

    /// One more has done what it did to this host; its result is not written yet.
    pub(super) fn count_one_done(&self) {
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    /// How many have. A state of the disks that was read while this was another number must not be told after their
    /// results: it may be older than what they did.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<WorkingOn>> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
