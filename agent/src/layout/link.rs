//! The links that name live releases: reading one, and switching it so that every reader sees the old release or the
//! new one and never neither.
//!
//! A link is never removed and made anew: the new one is made beside it and renamed over it, then the folder is made
//! durable and the link read back. No other program is asked to do it.

use pointsman_shared::name::{ReleaseFolder, SlotName};
use rustix::fs::{readlinkat, renameat, symlinkat};
use rustix::io::Errno;

use super::{Root, RootLock};
use crate::crash_point;
use crate::dir::FileError;

/// What a slot's link names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotLink {
    /// There is no link.
    Absent,
    /// A release of this root.
    Release(ReleaseFolder),
    /// Something else; its text, or what stands there instead of a link.
    Foreign(String),
}

impl SlotLink {
    /// The release it names.
    pub const fn release(&self) -> Option<&ReleaseFolder> {
        match self {
            Self::Release(folder) => Some(folder),
            Self::Absent | Self::Foreign(_) => None,
        }
    }
}

/// The link was not switched, or what was switched cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Something that is no link stands there.
    #[error(
        "{path} is not a link, so it cannot be switched; move it aside (`mv {path} {path}.old`) and try again"
    )]
    InTheWay {
        /// Its path.
        path: String,
    },
    /// The link read back is another one.
    #[error(
        "{path} reads back as {found:?} after it was switched to {wanted}; somebody else changes this root"
    )]
    ReadBack {
        /// Its path.
        path: String,
        /// What was wanted.
        wanted: ReleaseFolder,
        /// What was found.
        found: SlotLink,
    },
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Root {
    /// Reads a slot's link.
    pub fn slot_link(&self, slot: &SlotName) -> Result<SlotLink, FileError> {
        let path = || self.dir.path().join(slot.as_str());
        match readlinkat(&self.dir, slot.as_str(), Vec::new()) {
            Ok(text) => {
                let text = text.to_string_lossy().into_owned();
                let release = text.strip_prefix("releases/").and_then(|name| name.parse().ok());
                Ok(release.map_or(SlotLink::Foreign(text), SlotLink::Release))
            }
            Err(Errno::NOENT) => Ok(SlotLink::Absent),
            Err(Errno::INVAL) => Ok(SlotLink::Foreign("not a link".to_owned())),
            Err(error) => Err(FileError::new("read link", path(), error)),
        }
    }
}

/// The name under which a slot's next link is made.
pub(super) fn temporary_link(slot: &SlotName) -> String {
    format!(".{slot}.new")
}

impl RootLock {
    /// Points a slot at a release of this root; durable and read back when this returns.
    pub fn switch_link(&self, slot: &SlotName, to: &ReleaseFolder) -> Result<(), LinkError> {
        let dir = &self.root.dir;
        let path = dir.path().join(slot.as_str());
        let failed = |error| FileError::new("switch", &path, error);
        let temporary = temporary_link(slot);
        dir.remove_file(&temporary)?;
        symlinkat(format!("releases/{to}"), dir, &temporary).map_err(failed)?;
        crash_point!(C13);
        match renameat(dir, &temporary, dir, slot.as_str()) {
            Ok(()) => {}
            Err(Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST) => {
                dir.remove_file(&temporary)?;
                return Err(LinkError::InTheWay {
                    path: path.display().to_string(),
                });
            }
            Err(error) => return Err(failed(error).into()),
        }
        crash_point!(C14);
        dir.sync()?;
        crash_point!(C15);
        let found = self.root.slot_link(slot)?;
        if found.release() == Some(to) {
            return Ok(());
        }
        Err(LinkError::ReadBack {
            path: path.display().to_string(),
            wanted: to.clone(),
            found,
        })
    }

    /// Removes what a crash between making and renaming a link left behind.
    pub(crate) fn remove_temporary_link(&self, slot: &SlotName) -> Result<(), FileError> {
        self.root.dir.remove_file(&temporary_link(slot))
    }
}
