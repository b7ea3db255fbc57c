//! What every operation and role is given: the store, the clock, ids, the signatory, the artifact store, the
//! configuration, the bells that wake the roles, and what is measured.

use std::sync::Arc;

use pointsman_shared::clock::Clock;
use pointsman_shared::ids::IdSource;
use pointsman_store::Store;
use tokio::sync::Notify;

use crate::artifacts::Artifacts;
use crate::config::Config;
use crate::known_causes::Ready;
use crate::metrics::Metrics;
use crate::mirrors::Remembered;
use crate::signatory::Signatory;
use crate::vault::Vault;

/// The application; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The one truth.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// The coordinator's signature.
    pub signatory: Arc<dyn Signatory>,
    /// Seals secret variables; none = they are refused.
    pub vault: Option<Arc<Vault>>,
    /// Manifests, archives and packings.
    pub objects: Artifacts,
    /// The configuration.
    pub config: Arc<Config>,
    /// Bells; every one only pokes a loop that would look by itself a little later.
    pub bells: Arc<Bells>,
    /// What was read in mirrors and does not change.
    pub mirrors: Arc<Remembered>,
    /// Known causes, ready to be looked for.
    pub causes: Arc<Ready>,
    /// What is measured.
    pub metrics: Arc<Metrics>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

/// Bells that wake the roles of this process.
#[derive(Debug, Default)]
pub struct Bells {
    /// There may be outbox rows to send.
    pub relay: Notify,
    /// There may be deployments or placements to advance.
    pub reconcile: Notify,
    /// There may be events to number and show.
    pub events: Notify,
    /// There may be pushes to answer.
    pub pushes: Notify,
    /// There may be notifications to send.
    pub notify: Notify,
}

/// How long after a skipped look the next one comes.
const SOON: std::time::Duration = std::time::Duration::from_millis(100);

impl Bells {
    /// Rings for the reconciler a little later. Whoever held what was skipped may have looked before the change that
    /// woke us; without this the change would wait for the next sweep.
    pub fn reconcile_soon(self: &Arc<Self>) {
        let bells = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(SOON).await;
            bells.reconcile.notify_one();
        });
    }
}

impl Bells {
    /// Rings every bell: jobs have changed.
    pub fn ring(&self) {
        self.relay.notify_one();
        self.reconcile.notify_one();
        self.events.notify_one();
    }
}
