//! What a coordinator tells an agent. Every message names the host, and the instance once that is known, and what it
//! answers; unsolicited controls carry an expiry and a rising serial.

use serde::{Deserialize, Serialize};

use super::keys::KeySet;
use super::{Nonce, UnixMillis};
use crate::digest::Digest;
use crate::ids::{Epoch, Generation, InstanceId, JobId, PlacementId, SpoolId};
use crate::name::{HostId, RootPath, SlotName};

/// A message to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToAgent {
    /// There is work; claim it.
    Offer(Offer),
    /// The claim was granted: this epoch is yours.
    Grant(Grant),
    /// The claim was not granted.
    Denial(Denial),
    /// You are the host's current instance.
    Welcome(Welcome),
    /// You are not; another instance is.
    Unwelcome(Unwelcome),
    /// Which of your epochs live on.
    HeartbeatReply(HeartbeatReply),
    /// Your reports arrived.
    Acknowledge(Acknowledge),
    /// Create or raise a placement's fence.
    Adopt(Adopt),
    /// Stop this job.
    Cancel(Cancel),
}

/// An offer of one job; sent to the host's or the pool's queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Wire version.
    pub v: u16,
    /// The job.
    pub job: JobId,
    /// The offered epoch: the grant makes the next one.
    pub epoch: Epoch,
    /// The canonical body ([`super::JobBody`]) exactly as stored.
    pub body: String,
    /// SHA-256 of the body's bytes.
    pub digest: Digest,
    /// When it was issued.
    pub issued_at: UnixMillis,
    /// When it is void.
    pub expires_at: UnixMillis,
}

/// The times an agent must keep, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseTimes {
    /// Pause between beats while working.
    pub beat_ms: u64,
    /// Pause between beats while idle.
    pub idle_beat_ms: u64,
    /// How long the coordinator keeps an epoch without a beat.
    pub lease_ms: u64,
    /// How long after the last renewed beat was *sent* the agent stops its own work.
    pub stop_ms: u64,
}

/// The right to work on one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance that claimed.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// The granted epoch.
    pub epoch: Epoch,
    /// SHA-256 of the job's body.
    pub digest: Digest,
    /// The claim's nonce.
    pub nonce: Nonce,
    /// When it was granted.
    pub granted_at: UnixMillis,
    /// The times to keep.
    pub times: LeaseTimes,
}

/// Why a claim was not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenialReason {
    /// Another claim won, or the offer is outdated.
    Taken,
    /// The job is cancelled, superseded or otherwise over.
    Over,
    /// The coordinator does not know the job.
    Unknown,
    /// The host may not do this kind, or is not in the pool.
    NotAllowed,
    /// The claim came from an instance that is not current.
    WrongInstance,
    /// The global stop is on.
    Stopped,
    /// The lease of the granted epoch is over.
    LeaseOver,
}

/// The claim was not granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance that claimed.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// The epoch the claim named.
    pub epoch: Epoch,
    /// The claim's nonce.
    pub nonce: Nonce,
    /// Why.
    pub reason: DenialReason,
}

/// The answer to a hello that made this instance current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The hello's nonce.
    pub nonce: Nonce,
    /// The coordinators' keys, versioned; agents keep the highest version.
    pub keys: KeySet,
    /// Pools whose queues this host may consume.
    pub pools: Vec<crate::name::PoolName>,
    /// Kinds this host may be offered.
    pub kinds: Vec<crate::outcome::JobKind>,
    /// The placements the coordinator knows on this host.
    pub placements: Vec<KnownPlacement>,
    /// The times to keep.
    pub times: LeaseTimes,
    /// The coordinator's clock, to measure the offset.
    pub at: UnixMillis,
}

/// A placement as the coordinator knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownPlacement {
    /// The placement.
    pub placement: PlacementId,
    /// Its root.
    pub root: RootPath,
}

/// The answer to a hello that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unwelcome {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance that said hello.
    pub instance: InstanceId,
    /// The hello's nonce.
    pub nonce: Nonce,
    /// Why, for people.
    pub reason: String,
}

/// What becomes of one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LeaseVerdict {
    /// Go on until the next beat.
    Renewed,
    /// Go on, and stop as soon as you can.
    Cancel {
        /// Why, for people.
        reason: String,
    },
    /// It is no longer yours: stop without effect.
    Lost,
}

/// One epoch's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseReply {
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
    /// What becomes of it.
    pub verdict: LeaseVerdict,
}

/// The answer to one heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatReply {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// Number of the answered beat.
    pub beat: u64,
    /// One verdict for each epoch of the beat.
    pub leases: Vec<LeaseReply>,
    /// The coordinator does not know your state: say hello again.
    pub say_hello: bool,
    /// Version of the newest key set.
    pub keys_version: u64,
    /// The times to keep.
    pub times: LeaseTimes,
    /// The coordinator's clock.
    pub at: UnixMillis,
}

/// Reports up to this number are stored; the spool may forget them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The spool.
    pub spool: SpoolId,
    /// Highest number such that it and all below are stored.
    pub upto: u64,
}

/// Create a placement's fence or raise it; it never lowers one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adopt {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The placement.
    pub placement: PlacementId,
    /// Its root.
    pub root: RootPath,
    /// The slots it has.
    pub slots: Vec<SlotName>,
    /// The generation to raise to.
    pub generation: Generation,
    /// Nonce of the hello or state report it answers; none when a placement is new.
    pub answers: Option<Nonce>,
    /// Rises with every unsolicited control to this host.
    pub serial: u64,
    /// When it is void.
    pub expires_at: UnixMillis,
}

/// Stop a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// The running epoch.
    pub epoch: Epoch,
    /// Why, for people.
    pub reason: String,
    /// Rises with every unsolicited control to this host.
    pub serial: u64,
    /// When it is void.
    pub expires_at: UnixMillis,
}
