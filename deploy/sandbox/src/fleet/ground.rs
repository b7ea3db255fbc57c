//! What every member of a fleet stands on: the keeper that runs it, its folder, its programs.

use std::path::PathBuf;
use std::sync::Arc;

use super::settings::Pace;
use crate::authority::Tls;
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
    /// Servers of git repositories that may be reached.
    pub(crate) git_hosts: Vec<String>,
    /// Certificates, when everything speaks TLS.
    pub(crate) tls: Option<Tls>,
    /// How fast the fleet lives.
    pub(crate) pace: Pace,
}

impl Ground {
    /// Of the coordinators' addresses.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}
