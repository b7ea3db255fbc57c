//! Labels, as types. Few of them, and none that a stranger could make up: every combination is a series that Prometheus
//! keeps.

use pointsman_store::views::metrics::Place;
use prometheus_client::encoding::EncodeLabelSet;

/// An answer of the API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Answered {
    pub(super) method: &'static str,
    /// As the route is written, with its placeholders.
    pub(super) route: String,
    /// `2xx`, `4xx`, ...
    pub(super) status: &'static str,
}

/// A connection to the broker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Session {
    pub(super) session: &'static str,
}

/// Receivers of notifications of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Receiver {
    pub(super) kind: &'static str,
}

/// Garbage of a project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Garbage {
    pub(super) project: String,
    /// `hosts` or `store`.
    pub(super) place: &'static str,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Project {
    pub(super) project: String,
}

/// A project in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Target {
    pub(super) project: String,
    pub(super) env: String,
}

impl From<&Place> for Target {
    fn from(place: &Place) -> Self {
        Self {
            project: place.project.clone(),
            env: place.environment.clone(),
        }
    }
}

/// Deployments that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Ended {
    pub(super) project: String,
    pub(super) env: String,
    pub(super) kind: String,
    pub(super) result: String,
}

/// A stage of deployments.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct InStage {
    pub(super) project: String,
    pub(super) env: String,
    pub(super) stage: String,
}

/// Migrations of a phase.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Migrations {
    pub(super) project: String,
    pub(super) env: String,
    pub(super) phase: &'static str,
}

/// A kind of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Kind {
    pub(super) kind: String,
}

/// Jobs of a kind in a state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Jobs {
    pub(super) kind: String,
    pub(super) state: String,
}

/// Why a job is dead.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Dead {
    pub(super) reason: &'static str,
}

/// Hosts in a state; builders serve no environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Hosts {
    pub(super) env: String,
    pub(super) state: &'static str,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Host {
    pub(super) host: String,
}
