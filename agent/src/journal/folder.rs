//! The state folder as a whole: one agent at a time.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};
use rustix::io::Errno;

use super::{Groups, Roots};
use crate::dir::{Dir, FileError};

/// How often a held lock is tried again, and how many times.
const RETRY: Duration = Duration::from_millis(50);
const PATIENCE_TRIES: u32 = 40;

/// The state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another agent holds it.
    #[error(
        "another agent uses the state folder {}; one agent runs per host: stop the other one or give this one a state_dir of its own",
        .0.display()
    )]
    Taken(PathBuf),
    /// A file in it is not what we wrote.
    #[error("{} is damaged: {reason}; move it aside once you know that no process of an earlier agent lives", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The open state folder; holds its lock until it is dropped.
#[derive(Debug)]
pub struct StateFolder {
    /// Process groups that may still live.
    pub groups: Arc<Groups>,
    /// Roots that may have been touched.
    pub roots: Arc<Roots>,
    _lock: OwnedFd,
}

impl StateFolder {
    /// Opens an existing folder, takes its lock and reads what the last agent left.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let dir = Dir::open(path)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = openat(&dir, "lock", flags, Mode::RUSR | Mode::WUSR)
            .map_err(|e| FileError::new("open", path.join("lock"), e))?;
        take(&lock, path)?;
        let roots = Roots::open(&dir)?;
        let groups = Groups::open(dir)?;
        Ok(Self {
            groups: Arc::new(groups),
            roots: Arc::new(roots),
            _lock: lock,
        })
    }
}

/// A predecessor that is just going away is waited for: a child that it was starting may hold the lock for a moment
/// between its fork and its exec.
fn take(lock: &OwnedFd, path: &Path) -> Result<(), StateError> {
    for _ in 0..=PATIENCE_TRIES {
        match flock(lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) => std::thread::sleep(RETRY),
            Err(error) => return Err(FileError::new("lock", path.join("lock"), error).into()),
        }
    }
    Err(StateError::Taken(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_agent_is_told_who_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = StateFolder::open(folder.path()).unwrap();
        let error = StateFolder::open(folder.path()).unwrap_err();
        assert!(matches!(error, StateError::Taken(_)), "{error}");
        drop(first);
        assert!(StateFolder::open(folder.path()).is_ok());
    }
}
