//! What every part of the edge shares: who we are, where things are kept, how time is told.

use std::sync::{Arc, PoisonError, RwLock};

use pointsman_shared::clock::Clock;
use pointsman_shared::ids::InstanceId;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::{KeySet, SigningKey};

use super::running::RunningSet;
use super::scribe::Scribe;
use super::seen::SeenRoots;
use crate::artifact::Signer;
use crate::config::{AgentSection, PolicyFileOwner};
use crate::dispatcher::Now;
use crate::http::Coordinator;
use crate::journal::StateFolder;
use crate::lease::BootInstant;
use crate::metrics::Metrics;
use crate::policy::{Policy, PolicyError, PolicyOwner};
use crate::spool::{LogSpool, ReportSpool};
use crate::step::Workshop;
use crate::time::CoordinatorClock;

pub(super) struct Tools {
    pub(super) host: HostId,
    pub(super) instance: InstanceId,
    pub(super) key: Arc<SigningKey>,
    pub(super) keys: RwLock<KeySet>,
    pub(super) wall: Arc<dyn Clock>,
    pub(super) clock: Arc<CoordinatorClock>,
    pub(super) config: AgentSection,
    pub(super) state: StateFolder,
    pub(super) coordinator: Coordinator,
    pub(super) signer: Arc<Signer>,
    pub(super) probe: reqwest::Client,
    pub(super) workshop: Option<Arc<Workshop>>,
    pub(super) reports: Arc<ReportSpool>,
    pub(super) logs: Arc<LogSpool>,
    pub(super) scribe: Scribe,
    pub(super) running: RunningSet,
    pub(super) seen: SeenRoots,
    pub(super) metrics: Metrics,
}

impl Tools {
    /// The pinned keys.
    pub(super) fn keys(&self) -> KeySet {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Trusts a newer set of keys from now on.
    pub(super) fn trust(&self, keys: KeySet) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The host's policy as its file stands now; an administrator's change counts from the next job.
    pub(super) fn policy(&self) -> Result<Policy, PolicyError> {
        load_policy(&self.config)
    }

    /// This moment by all clocks.
    pub(super) fn now(&self) -> Now {
        Now {
            boot: BootInstant::now(),
            coordinator: self.clock.now_millis(),
            wall: self.clock.wall_millis(),
        }
    }
}

/// Reads the host's policy file.
pub fn load_policy(config: &AgentSection) -> Result<Policy, PolicyError> {
    let owner = match config.policy_owner {
        PolicyFileOwner::Root => PolicyOwner::Root,
        PolicyFileOwner::Agent => PolicyOwner::RootOrAgent,
    };
    Policy::load(&config.policy_file, owner)
}
