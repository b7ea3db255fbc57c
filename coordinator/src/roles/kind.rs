//! Names of the roles.

use std::str::FromStr;

/// A loop of the coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The HTTP API, and the numbering of events.
    Http,
    /// Publishes the outbox and keeps the broker's topology.
    Relay,
    /// Consumes what agents say.
    Intake,
    /// Sweeps jobs, advances deployments, brings hosts where they belong.
    Reconcile,
    /// Prunes what has served its time.
    Schedule,
    /// Tells people what happened.
    Notify,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Http,
        Self::Relay,
        Self::Intake,
        Self::Reconcile,
        Self::Schedule,
        Self::Notify,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Relay => "relay",
            Self::Intake => "intake",
            Self::Reconcile => "reconcile",
            Self::Schedule => "schedule",
            Self::Notify => "notify",
        }
    }
}

/// Not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role; there are http, relay, intake, reconcile, schedule and notify")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}
