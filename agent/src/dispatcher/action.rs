//! What the dispatcher wants done.

use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, InstanceId, SpoolId};
use pointsman_shared::wire::from_agent::{Fault, WorkingOn};
use pointsman_shared::wire::to_agent::{Adopt, KnownPlacement};
use pointsman_shared::wire::{FromAgent, JobBody, KeySet, Nonce, TraceParent, UnixMillis};

use super::{DeliveryId, JobQueue, Screened};
use crate::lease::Lease;

/// What becomes of a delivery. There is no requeueing: `nack` is never used for waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// It is done with.
    Ack,
    /// It goes to the dead letters.
    Reject,
}

/// Work that was offered, claimed and granted; only the dispatcher makes one.
#[derive(Debug)]
pub struct Assignment {
    /// What is asked.
    pub body: JobBody,
    /// SHA-256 of the body's bytes, as granted.
    pub digest: Digest,
    /// The granted epoch.
    pub epoch: Epoch,
    /// The right to go on.
    pub lease: Lease,
    /// The trace context that came with the offer.
    pub trace: Option<TraceParent>,
    _granted: Granted,
}

/// Keeps assignments from being made elsewhere.
#[derive(Debug)]
struct Granted;

impl Assignment {
    pub(super) fn new(screened: &Screened, epoch: Epoch, lease: Lease) -> Self {
        Self {
            body: screened.body.clone(),
            digest: screened.offer.get().digest,
            epoch,
            lease,
            trace: screened.trace.clone(),
            _granted: Granted,
        }
    }
}

/// Something to do, in order.
#[derive(Debug)]
pub enum Action {
    /// Settle a delivery.
    Settle(DeliveryId, Settle),
    /// Say something now, in the trace of the offer it answers; nothing is kept when the broker is away.
    Say(Box<FromAgent>, Option<TraceParent>),
    /// Say hello, followed by the state of every placement.
    SayHello {
        /// Ties the welcome to it.
        nonce: Nonce,
        /// Who may have been known before.
        previous: Option<InstanceId>,
        /// What this instance works on.
        working: Vec<WorkingOn>,
    },
    /// Send a heartbeat with the state's digest.
    Beat {
        /// Its number.
        beat: u64,
        /// The epochs to renew.
        working: Vec<WorkingOn>,
    },
    /// Begin to consume a queue of offers.
    Consume(JobQueue),
    /// Stop consuming it; what was delivered stays to be settled.
    StopConsuming(JobQueue),
    /// Throw the connection away and make a new one.
    Rebuild,
    /// Begin work.
    Begin(Box<Assignment>),
    /// Create or raise a fence, then tell [`super::Event::StateChanged`].
    Adopt(Box<Adopt>),
    /// Forget acknowledged reports.
    Forget {
        /// The spool.
        spool: SpoolId,
        /// Highest number.
        upto: u64,
    },
    /// This instance is the known one: remember it, and the roots of these placements.
    Welcomed(Vec<KnownPlacement>),
    /// Pin a newer key set.
    Pin(KeySet),
    /// The coordinator's clock, as it just said.
    Heard(UnixMillis),
    /// Report that something is wrong.
    Report(Fault),
    /// Nothing runs any more and nothing will begin: the agent may end.
    Drained,
}
