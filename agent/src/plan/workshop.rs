//! A collection of what builds left behind: one look, which takes what is due.

use std::fmt;

/// One step of such a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkshopStep {
    /// Mirrors and caches that no build used for long.
    Collect,
}

impl fmt::Display for WorkshopStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Collect => "collect",
        })
    }
}

pub(super) fn steps() -> Vec<WorkshopStep> {
    vec![WorkshopStep::Collect]
}
