//! What every member of a fleet stands on: the keeper that runs it, its folder, its programs.

use std::path::PathBuf;
use std::sync::Arc;

use crate::keeper::Keeper;
use crate::place::Place;
use crate::programs::Binaries;

/// Shared by coordinators and hosts.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) place: Place,
    pub(crate) binaries: Binaries,
    /// The git program.
    pub(crate) git: PathBuf,
}
