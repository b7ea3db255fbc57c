//! `roots/<placement>`: every root this agent may have touched, so that recovery finds it without asking anybody.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pointsman_shared::ids::PlacementId;
use pointsman_shared::name::RootPath;
use rustix::fs::Mode;
use serde::{Deserialize, Serialize};

use super::StateError;
use crate::dir::{Dir, FileError};

/// One recorded root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootRecord {
    /// The placement.
    pub placement: PlacementId,
    /// Its root.
    pub root: RootPath,
}

/// The recorded roots.
#[derive(Debug)]
pub struct Roots {
    dir: Dir,
    known: Mutex<BTreeMap<PlacementId, RootPath>>,
}

impl Roots {
    pub(super) fn open(state: &Dir) -> Result<Self, StateError> {
        let dir = state.make_dir("roots", Mode::RWXU)?;
        let mut known = BTreeMap::new();
        for name in dir.names()? {
            if name.parse::<PlacementId>().is_err() {
                continue;
            }
            let bytes = dir.read(&name)?.unwrap_or_default();
            let record: RootRecord = serde_json::from_slice(&bytes).map_err(|error| StateError::Damaged {
                path: dir.path().join(&name),
                reason: error.to_string(),
            })?;
            known.insert(record.placement, record.root);
        }
        Ok(Self {
            dir,
            known: Mutex::new(known),
        })
    }

    /// Every recorded root, sorted by placement.
    pub fn all(&self) -> Vec<RootRecord> {
        self.lock()
            .iter()
            .map(|(placement, root)| RootRecord {
                placement: *placement,
                root: root.clone(),
            })
            .collect()
    }

    /// Whether the placement is recorded with this root.
    pub fn knows(&self, record: &RootRecord) -> bool {
        self.lock().get(&record.placement) == Some(&record.root)
    }

    /// Records a root before anything in it is touched. Recording it again is free.
    pub fn record(&self, record: &RootRecord) -> Result<(), FileError> {
        let mut known = self.lock();
        if known.get(&record.placement) == Some(&record.root) {
            return Ok(());
        }
        let name = record.placement.to_string();
        let bytes = serde_json::to_vec(record)
            .map_err(|e| FileError::new("write", self.dir.path().join(&name), std::io::Error::other(e)))?;
        self.dir.replace(&name, &bytes)?;
        known.insert(record.placement, record.root.clone());
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PlacementId, RootPath>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::StateFolder;

    #[test]
    fn a_recorded_root_is_found_by_the_next_agent() {
        let folder = tempfile::tempdir().unwrap();
        let record = RootRecord {
            placement: "0198c0de-0000-7000-8000-000000000001".parse().unwrap(),
            root: "/srv/shop".parse().unwrap(),
        };
        StateFolder::open(folder.path())
            .unwrap()
            .roots
            .record(&record)
            .unwrap();
        let next = StateFolder::open(folder.path()).unwrap();
        assert_eq!(next.roots.all(), std::slice::from_ref(&record));
        assert!(next.roots.knows(&record));
    }
}
