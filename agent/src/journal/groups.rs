//! `journal`: the process groups that were started and not seen to end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::StateError;
use crate::dir::{Dir, FileError};
use crate::process::GroupRecord;

const FILE: &str = "journal";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    v: u16,
    groups: Vec<GroupRecord>,
}

/// The groups that may live. Every change is durable when its call returns.
#[derive(Debug)]
pub struct Groups {
    dir: Dir,
    groups: Mutex<Vec<GroupRecord>>,
}

impl Groups {
    pub(super) fn open(dir: Dir) -> Result<Self, StateError> {
        let groups = match dir.read(FILE)? {
            None => Vec::new(),
            Some(bytes) => match serde_json::from_slice::<Content>(&bytes) {
                Ok(Content { v: 1, groups }) => groups,
                Ok(Content { v, .. }) => {
                    return Err(StateError::Damaged {
                        path: dir.path().join(FILE),
                        reason: format!("version {v} is unknown to this agent"),
                    });
                }
                Err(error) => {
                    return Err(StateError::Damaged {
                        path: dir.path().join(FILE),
                        reason: error.to_string(),
                    });
                }
            },
        };
        Ok(Self {
            dir,
            groups: Mutex::new(groups),
        })
    }

    /// Every recorded group.
    pub fn all(&self) -> Vec<GroupRecord> {
        self.lock().clone()
    }

    /// Records a group before its program runs.
    pub fn add(&self, record: GroupRecord) -> Result<(), FileError> {
        let mut groups = self.lock();
        groups.push(record);
        let written = self.write(&groups);
        if written.is_err() {
            groups.pop();
        }
        written
    }

    /// Forgets a group that is gone.
    pub fn remove(&self, record: &GroupRecord) -> Result<(), FileError> {
        let mut groups = self.lock();
        groups.retain(|known| known != record);
        self.write(&groups)
    }

    fn write(&self, groups: &[GroupRecord]) -> Result<(), FileError> {
        let content = Content {
            v: 1,
            groups: groups.to_vec(),
        };
        let bytes = serde_json::to_vec(&content)
            .map_err(|e| FileError::new("write", self.dir.path().join(FILE), std::io::Error::other(e)))?;
        self.dir.replace(FILE, &bytes)
    }

    /// The list is replaced as a whole, so a writer that panicked leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Vec<GroupRecord>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
