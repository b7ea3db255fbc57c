//! An install: everything that can be done without anybody noticing, up to the release's final name.

use std::fmt;

/// One step of an install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallStep {
    /// The root, what is there already, shared files, room on the disk.
    Prepare,
    /// The three objects from the store.
    Fetch,
    /// The tree beside the other releases, not yet one of them.
    Unpack,
    /// Links into `shared/`, then every byte is read again.
    LinkAndVerify,
    /// The final name.
    Publish,
}

impl fmt::Display for InstallStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prepare => "prepare",
            Self::Fetch => "fetch",
            Self::Unpack => "unpack",
            Self::LinkAndVerify => "link and verify",
            Self::Publish => "publish",
        })
    }
}

pub(super) fn steps() -> Vec<InstallStep> {
    use InstallStep::{Fetch, LinkAndVerify, Prepare, Publish, Unpack};
    vec![Prepare, Fetch, Unpack, LinkAndVerify, Publish]
}
