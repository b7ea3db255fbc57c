//! `instance`: the instances that said hello from this state folder.
//!
//! A hello names its predecessor, and the coordinator takes the successor of the one it knows at once. An agent that
//! dies between its hello and the welcome may or may not be that one, so every instance since the last welcome is kept
//! and each is tried in turn.

use pointsman_shared::ids::InstanceId;

use crate::dir::{Dir, FileError};

const FILE: &str = "instance";
/// How many are kept; more restarts than this without one welcome wait for the old lease to end.
const KEPT: usize = 8;

/// This instance and those before it.
#[derive(Debug)]
pub struct Instances {
    dir: Dir,
    me: InstanceId,
    previous: Vec<InstanceId>,
}

impl Instances {
    /// Reads the earlier instances and records `me` durably, before any hello.
    pub fn begin(dir: Dir, me: InstanceId) -> Result<Self, FileError> {
        let text = dir.read(FILE)?.unwrap_or_default();
        // A line that is no id is as good as none: the coordinator then waits for the old lease to end.
        let mut previous: Vec<InstanceId> = String::from_utf8_lossy(&text)
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect();
        previous.truncate(KEPT - 1);
        let instances = Self { dir, me, previous };
        instances.write(std::iter::once(&me).chain(&instances.previous))?;
        Ok(instances)
    }

    /// This instance.
    pub const fn me(&self) -> InstanceId {
        self.me
    }

    /// Who may have been known before, the likeliest first.
    pub fn previous(&self) -> &[InstanceId] {
        &self.previous
    }

    /// Records that this instance is the known one.
    pub fn welcomed(&self) -> Result<(), FileError> {
        self.write(std::iter::once(&self.me))
    }

    fn write<'a>(&self, ids: impl Iterator<Item = &'a InstanceId>) -> Result<(), FileError> {
        let lines: Vec<String> = ids.map(ToString::to_string).collect();
        let text = lines.join("\n");
        self.dir.replace(FILE, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn instance(n: u128) -> InstanceId {
        InstanceId(Uuid::from_u128(n))
    }

    #[test]
    fn all_since_the_last_welcome_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let begin = |n| Instances::begin(Dir::open(folder.path()).unwrap(), instance(n)).unwrap();
        let first = begin(1);
        assert!(first.previous().is_empty());
        first.welcomed().unwrap();
        assert_eq!(begin(2).previous(), [instance(1)]);
        let third = begin(3);
        assert_eq!(third.previous(), [instance(2), instance(1)]);
        third.welcomed().unwrap();
        assert_eq!(begin(4).previous(), [instance(3)]);
    }
}
