//! Locks on files of a mirror folder, shared by threads and processes, freed by the kernel when the holder dies.
//!
//! Every acquisition opens the file anew, so two threads exclude each other like two processes do. This module
//! refuses to wait for ever: a holder that hangs becomes the waiter's timeout.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::process::Stop;

/// How often a waiting thread looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Who else may hold the lock meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Shared,
    Exclusive,
}

/// A held lock; dropping it frees it, unless a child process still holds a copy of [`Lock::file`].
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// The lock if it is free now.
    pub(crate) fn try_take(path: &Path, mode: Mode) -> Result<Option<Self>> {
        let what = || format!("locking {}", path.display());
        let file = fs_err::OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(Error::storage(what()))?
            .into_file();
        let taken = match mode {
            Mode::Shared => file.try_lock_shared(),
            Mode::Exclusive => file.try_lock(),
        };
        match taken {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::Storage { what: what(), source }),
        }
    }

    /// The lock, waited for until `patience` is over or `stop` is requested.
    pub(crate) fn take(path: &Path, mode: Mode, patience: Duration, stop: &Stop) -> Result<Self> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(lock) = Self::try_take(path, mode)? {
                return Ok(lock);
            }
            stop.check()?;
            if Instant::now() >= deadline {
                let what = format!("waiting for another user of {}", path.display());
                return Err(Error::Timeout {
                    what,
                    seconds: patience.as_secs(),
                });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// The open file that carries the lock; a copy in a child keeps the lock alive as long as the child lives.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }
}
