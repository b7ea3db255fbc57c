//! How a caller looks after long work: it can ask to stop and hear how far things are.
//!
//! Both are plain functions, called from any of the working threads between chunks of at most 64 KiB, so that neither
//! a runtime nor a channel is chosen here.

use std::fmt;

use crate::error::{Error, Result};

/// What the work asks and tells its caller.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    stop: &'a (dyn Fn() -> bool + Sync),
    progress: &'a (dyn Fn(u64) + Sync),
}

impl<'a> Watch<'a> {
    /// Nobody stops or looks.
    pub fn none() -> Self {
        Self {
            stop: &|| false,
            progress: &|_| {},
        }
    }

    /// The work ends with [`Error::Stopped`] soon after `stop` says yes.
    #[must_use]
    pub fn stop_when(self, stop: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self { stop, ..self }
    }

    /// `progress` hears how many bytes of content were handled since it was last called.
    #[must_use]
    pub fn on_progress(self, progress: &'a (dyn Fn(u64) + Sync)) -> Self {
        Self { progress, ..self }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if (self.stop)() {
            Err(Error::Stopped)
        } else {
            Ok(())
        }
    }

    pub(crate) fn handled(&self, bytes: usize) -> Result<()> {
        (self.progress)(bytes as u64);
        self.check()
    }
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
