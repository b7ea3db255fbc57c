//! A collection: look, set aside what nobody uses, delete what lay in the trash for long enough.

use std::fmt;

/// One step of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectStep {
    /// Lock and fence: was this decided from what the host is now?
    Check,
    /// Releases into the trash.
    Discard,
    /// Old trash, or all of it when the disk is short.
    Purge,
}

impl fmt::Display for CollectStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check => "check",
            Self::Discard => "discard",
            Self::Purge => "purge",
        })
    }
}

pub(super) fn steps() -> Vec<CollectStep> {
    vec![CollectStep::Check, CollectStep::Discard, CollectStep::Purge]
}
