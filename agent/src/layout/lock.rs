//! The root's lock: one writer at a time, freed by the kernel when the process dies.
//!
//! The value is the proof: every function that changes a root is a method of [`RootLock`], so nobody can forget it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};
use rustix::io::Errno;

use super::Root;
use crate::dir::FileError;

/// How often a held lock is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// The lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it.
    #[error(
        "{root} is locked by another job or another agent, and stayed so for {waited:?}; look for a second agent on \
         this host, or wait until its job ends"
    )]
    Held {
        /// The root.
        root: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Proof that this process is the root's only writer, until it is dropped.
#[derive(Debug)]
pub struct RootLock {
    pub(super) root: Arc<Root>,
    _held: OwnedFd,
}

impl RootLock {
    /// Takes the lock, waiting up to `patience` for whoever holds it.
    pub async fn take(root: &Arc<Root>, patience: Duration) -> Result<Self, LockError> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            if let Some(lock) = Self::try_take(root)? {
                return Ok(lock);
            }
            if tokio::time::Instant::now() >= until {
                return Err(LockError::Held {
                    root: root.path().to_string(),
                    waited: patience,
                });
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Takes the lock if it is free.
    pub fn try_take(root: &Arc<Root>) -> Result<Option<Self>, FileError> {
        let path = root.own.path().join("lock");
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = openat(&root.own, "lock", flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| FileError::new("open", &path, error))?;
        match flock(&held, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self {
                root: Arc::clone(root),
                _held: held,
            })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(FileError::new("lock", path, error)),
        }
    }

    /// The locked root.
    pub const fn root(&self) -> &Arc<Root> {
        &self.root
    }
}
