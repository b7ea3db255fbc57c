//! `.pointsman/journal`: the switch whose rename is about to happen or has happened.
//!
//! That is its point of no return, durable before the rename, so that after a crash nobody claims that nothing happened.
//! What was accepted before that point stands in the fence alone.

use pointsman_shared::ids::{Epoch, Generation, JobId};
use pointsman_shared::name::{ReleaseFolder, SlotName};
use serde::{Deserialize, Serialize};

use super::{Root, RootLock};
use crate::dir::FileError;

const FILE: &str = "journal";

/// A switch past its point of no return that was not seen to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The slot.
    pub slot: SlotName,
    /// The decision.
    pub generation: Generation,
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
    /// The release that is to be live.
    pub to: ReleaseFolder,
}

impl Root {
    /// What is in progress. A file that cannot be read says nothing: the fence alone decides what may happen next.
    pub fn progress(&self) -> Result<Option<Progress>, FileError> {
        Ok(self
            .own
            .read(FILE)?
            .and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

impl RootLock {
    /// Records, durably, that the rename comes next.
    pub fn begin_rename(&self, progress: &Progress) -> Result<(), FileError> {
        let path = || self.root.own.path().join(FILE);
        let bytes = serde_json::to_vec_pretty(progress)
            .map_err(|error| FileError::new("write", path(), std::io::Error::other(error)))?;
        self.root.own.replace(FILE, &bytes)
    }

    /// Forgets it, once the fence says that the decision has run to its end. Should a crash bring the record back, it
    /// speaks of an epoch that is over.
    pub fn end_progress(&self) -> Result<(), FileError> {
        self.root.own.remove_file(FILE)
    }
}
