//! The epochs whose workers live in this process.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pointsman_shared::wire::from_agent::WorkingOn;

/// A set that workers enter and leave.
#[derive(Debug, Default)]
pub(super) struct RunningSet(Mutex<HashSet<WorkingOn>>);

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

    fn lock(&self) -> MutexGuard<'_, HashSet<WorkingOn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
