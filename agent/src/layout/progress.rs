//! `.pointsman/journal`: which switch is in progress in this root, and whether it can still be called off.
//!
//! `no_return` is durable before the rename it speaks of, so that after a crash nobody claims that nothing happened.

use pointsman_shared::ids::{Epoch, Generation, JobId};
use pointsman_shared::name::{ReleaseFolder, SlotName};
use serde::{Deserialize, Serialize};

use super::{Root, RootLock};
use crate::dir::FileError;

const FILE: &str = "journal";

/// A switch that was begun and not seen to end.
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
    /// Whether the rename was about to happen or has happened.
    pub no_return: bool,
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
    /// Records what is in progress, durably.
    pub fn begin(&self, progress: &Progress) -> Result<(), FileError> {
        let path = || self.root.own.path().join(FILE);
        let bytes = serde_json::to_vec_pretty(progress)
            .map_err(|error| FileError::new("write", path(), std::io::Error::other(error)))?;
        self.root.own.replace(FILE, &bytes)
    }

    /// Records that nothing is in progress any more.
    pub fn end_progress(&self) -> Result<(), FileError> {
        self.root.own.remove_file(FILE)?;
        self.root.own.sync()
    }
}
