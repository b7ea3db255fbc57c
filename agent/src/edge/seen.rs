//! What was seen of a root, kept as long as nothing in it can have changed: reading a large release's manifest for every
//! heartbeat would cost more than all the rest of an idle agent.
//!
//! The stamps of the root's own folders and files say whether something changed. Stamps are coarse, so they are believed
//! only when they are older than any change that could still hide behind them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pointsman_shared::clock::Clock;
use pointsman_shared::ids::PlacementId;
use rustix::fs::StatVfsMountFlags;

use crate::journal::RootRecord;
use crate::layout::PlacementFacts;

/// Seconds after which a stamp cannot hide a later change.
const SETTLED: i64 = 2;

/// Inode, and seconds and nanoseconds of the last change; none where nothing is.
type Stamp = Option<(u64, i64, i64)>;

struct Seen {
    stamps: Vec<(PathBuf, Stamp)>,
    facts: PlacementFacts,
}

/// The facts of roots that did not change.
#[derive(Default)]
pub(super) struct SeenRoots(Mutex<HashMap<PlacementId, Seen>>);

impl SeenRoots {
    /// The facts of a root as it is now.
    pub(super) fn facts(&self, record: &RootRecord, wall: &dyn Clock) -> PlacementFacts {
        if let Some(facts) = self.unchanged(record) {
            return facts;
        }
        let now = wall.now().timestamp();
        // Stamped before it is read: what changes meanwhile is seen the next time.
        let mut stamps = stamps(fixed_paths(record));
        let facts = PlacementFacts::read(record);
        stamps.extend(self::stamps(manifests(&facts)));
        let settled = stamps
            .iter()
            .all(|(_, stamp)| stamp.is_none_or(|(_, seconds, _)| seconds < now - SETTLED));
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if settled && facts.problem.is_none() {
            let facts = facts.clone();
            seen.insert(record.placement, Seen { stamps, facts });
        } else {
            seen.remove(&record.placement);
        }
        facts
    }

    fn unchanged(&self, record: &RootRecord) -> Option<PlacementFacts> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.get(&record.placement)?;
        let same =
            seen.facts.root == record.root && seen.stamps.iter().all(|(path, before)| stamp(path) == *before);
        let free = rustix::fs::statvfs(record.root.as_str()).ok()?;
        // A mount that turns read-only changes no stamp.
        let writable = !free.f_flag.contains(StatVfsMountFlags::RDONLY);
        (same && writable).then(|| PlacementFacts {
            free_bytes: free.f_bavail.saturating_mul(free.f_frsize),
            total_bytes: free.f_blocks.saturating_mul(free.f_frsize),
            ..seen.facts.clone()
        })
    }
}

fn fixed_paths(record: &RootRecord) -> Vec<PathBuf> {
    let root = Path::new(record.root.as_str());
    let own = root.join(".pointsman");
    vec![
        root.to_owned(),
        root.join("releases"),
        own.join("fence"),
        own.join("manifests"),
        own,
    ]
}

/// The records of the releases that slots name.
fn manifests(facts: &PlacementFacts) -> Vec<PathBuf> {
    let folder = Path::new(facts.root.as_str()).join(".pointsman/manifests");
    let named = facts.slots.iter().filter_map(|slot| slot.current.as_ref());
    named
        .map(|release| folder.join(format!("{release}.json")))
        .collect()
}

fn stamps(paths: Vec<PathBuf>) -> Vec<(PathBuf, Stamp)> {
    let stamped = |path: PathBuf| {
        let stamp = stamp(&path);
        (path, stamp)
    };
    paths.into_iter().map(stamped).collect()
}

fn stamp(path: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt as _;
    let found = fs_err::symlink_metadata(path).ok()?;
    Some((found.ino(), found.ctime(), found.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta, Utc};
    use pointsman_shared::clock::SystemClock;
    use uuid::Uuid;

    /// A clock that is ahead, so that fresh stamps count as settled.
    #[derive(Debug)]
    struct Later;

    impl Clock for Later {
        fn now(&self) -> DateTime<Utc> {
            SystemClock.now() + TimeDelta::minutes(1)
        }
    }

    fn root(folder: &tempfile::TempDir) -> RootRecord {
        RootRecord {
            placement: PlacementId(Uuid::from_u128(1)),
            root: folder.path().display().to_string().parse().unwrap(),
        }
    }

    #[test]
    fn a_changed_root_is_seen_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (record, seen) = (root(&folder), SeenRoots::default());
        seen.facts(&record, &Later);
        seen.facts(&record, &Later);
        assert!(seen.unchanged(&record).is_some(), "nothing happened");
        std::os::unix::fs::symlink("/elsewhere", folder.path().join("current")).unwrap();
        let facts = seen.facts(&record, &Later);
        assert_eq!(facts.slots[0].foreign.as_deref(), Some("/elsewhere"));
        fs_err::write(folder.path().join(".pointsman/fence"), "torn").unwrap();
        let facts = seen.facts(&record, &Later);
        assert_eq!(
            facts.slots[0].fence,
            pointsman_shared::wire::from_agent::FenceState::Damaged
        );
    }

    #[test]
    fn a_fresh_stamp_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let (record, seen) = (root(&folder), SeenRoots::default());
        seen.facts(&record, &SystemClock);
        seen.facts(&record, &SystemClock);
        assert!(seen.unchanged(&record).is_none());
    }
}
