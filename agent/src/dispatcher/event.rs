//! What the dispatcher is told.

use pointsman_shared::name::PoolName;
use pointsman_shared::wire::from_agent::{DeclineReason, WorkingOn};
use pointsman_shared::wire::to_agent::{Offer, ToAgent};
use pointsman_shared::wire::{JobBody, Nonce, TraceParent, UnixMillis, Verified};

use crate::lease::BootInstant;
use crate::letter::Refusal;

/// The moment at which something is told.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// By the boot clock, which leases are judged by.
    pub boot: BootInstant,
    /// By the coordinator's clock, which expiry is judged by.
    pub coordinator: UnixMillis,
    /// By the host's wall clock, which messages carry.
    pub wall: UnixMillis,
}

/// A delivery that waits to be settled; numbers are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(pub u64);

/// A queue of offers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobQueue {
    /// The host's own.
    Host,
    /// A pool's.
    Pool(PoolName),
}

/// An offer whose body was read and judged by this host.
#[derive(Debug, Clone)]
pub struct Screened {
    /// The offer.
    pub offer: Verified<Offer>,
    /// Its body, parsed once.
    pub body: JobBody,
    /// Why this host would not take it, whatever its slots.
    pub objection: Option<DeclineReason>,
    /// The trace context that came with it.
    pub trace: Option<TraceParent>,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// The broker is connected and the control queue is consumed.
    Up,
    /// The connection is gone, and with it every unsettled delivery.
    Down,
    /// A control message.
    Control(DeliveryId, Box<Verified<ToAgent>>),
    /// An offer.
    Offer(DeliveryId, JobQueue, Box<Screened>),
    /// A signed offer whose body this version cannot read, and what is wrong with it.
    Unreadable(DeliveryId, Box<Verified<Offer>>, String),
    /// A delivery that cannot be used.
    Refused(DeliveryId, Refusal),
    /// A worker ended, and what it had to report is durable.
    Ended(WorkingOn),
    /// Something in a root changed that the coordinator waits to hear of.
    StateChanged,
    /// Take no new work, and end.
    Drain,
    /// Time passed.
    Tick,
}

/// Randomness, passed in.
pub trait Chance: Send {
    /// A nonce that was never used.
    fn nonce(&mut self) -> Nonce;
    /// A number from 0 up to, but not including, 1.
    fn fraction(&mut self) -> f64;
}
