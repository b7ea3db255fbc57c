//! What an agent says to offers and grants: it claims, declines, or did not begin.

use serde::{Deserialize, Serialize};

use super::super::{Nonce, UnixMillis};
use crate::digest::Digest;
use crate::ids::{Epoch, InstanceId, JobId};
use crate::name::HostId;
use crate::outcome::JobKind;

/// Wish for a job that was offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// The offered epoch.
    pub epoch: Epoch,
    /// SHA-256 of the body it read.
    pub digest: Digest,
    /// Ties the grant to this claim.
    pub nonce: Nonce,
    /// The agent's clock.
    pub at: UnixMillis,
}

/// Why an offer was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case", deny_unknown_fields)]
pub enum DeclineReason {
    /// No free slot of its kind; `slot_free` follows.
    Busy,
    /// The host's own policy file forbids it.
    Policy {
        /// Rule and remedy, for people.
        message: String,
    },
    /// The placement is closed until an `adopt`, or by a surviving process.
    Closed {
        /// What closes it.
        message: String,
    },
    /// The agent is draining.
    Draining,
    /// The body cannot be read by this version.
    Unreadable {
        /// What was wrong.
        message: String,
    },
}

/// An offer was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declined {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// The offered epoch.
    pub epoch: Epoch,
    /// Why.
    pub reason: DeclineReason,
}

/// A slot of a kind that had declined became free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotFree {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The kind.
    pub kind: JobKind,
}

/// A grant arrived too late; nothing was begun and the epoch is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotBegun {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// The granted epoch.
    pub epoch: Epoch,
    /// Why, for people.
    pub reason: String,
}
