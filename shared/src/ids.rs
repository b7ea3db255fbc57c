//! Identities as types, so that a job id can never be passed where a release id is meant.
//!
//! Ids are UUIDv7 on the wire. This module never makes one by itself: an [`IdSource`] is passed in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

id! {
    /// A project: one git repository (or a folder of it) deployed as one unit.
    ProjectId,
    /// A named stage such as `beta` or `production`.
    EnvironmentId,
    /// A project in an environment.
    TargetId,
    /// A target on a host, with its root.
    PlacementId,
    /// A numbered build of a project.
    ReleaseId,
    /// The wish to have a release live in a target.
    DeploymentId,
    /// A unit of work offered to agents.
    JobId,
    /// One run of an agent process; a restart makes a new one.
    InstanceId,
    /// A stream of log chunks.
    StreamId,
    /// A spool folder of an agent; a wiped folder is a new spool.
    SpoolId,
    /// Somebody or something that acts: user, token, agent, schedule, system.
    PrincipalId,
    /// An act of a principal, as the audit trail numbers it.
    AuditId,
    /// Where notifications go.
    ChannelId,
    /// A notification on its way to one channel; the same at every try.
    DeliveryId,
}

/// Where new ids come from; production uses the clock and the system's randomness, tests a counter.
pub trait IdSource: Send + Sync {
    /// A UUID that was never returned before.
    fn next(&self) -> Uuid;
}

/// Number of a job's attempt, made by the grant. A job that was never granted has epoch 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The epoch before any grant.
    pub const NONE: Self = Self(0);

    /// The epoch that the next grant makes.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Rises with every decision to switch a placement; a host refuses a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
