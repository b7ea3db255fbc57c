//! The states of a job, each with its own data.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::{Epoch, InstanceId};
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::{Effect as Change, JobKind, Phase, ProcessExit, Product};
use serde::{Deserialize, Serialize};

/// Why a job exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A step of a deployment.
    Deploy,
    /// A step of a rollback, by hand or after a failure; the global stop lets it pass.
    Undo,
    /// Brings a new or returning host where its target is.
    Converge,
    /// Makes a release without deploying it.
    Release,
    /// Collects garbage, or brings back what was collected.
    Collect,
    /// Works on a project's migrations outside a deployment.
    Migrate,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::Deploy,
        Self::Undo,
        Self::Converge,
        Self::Release,
        Self::Collect,
        Self::Migrate,
    ];

    /// The name used in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Undo => "undo",
            Self::Converge => "converge",
            Self::Release => "release",
            Self::Collect => "collect",
            Self::Migrate => "migrate",
        }
    }
}

/// Somebody's wish that a job stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, for people.
    pub reason: String,
}

/// What the machine knows of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its kind.
    pub kind: JobKind,
    /// Whether it is for exactly one host (else for a pool).
    pub for_host: bool,
    /// Number of its newest grant.
    pub epoch: Epoch,
    /// Grants at most.
    pub max_epochs: u32,
    /// Whether an earlier epoch was lost, so that its effect may have happened.
    pub unsettled: bool,
    /// Where it stands.
    pub state: State,
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not offered yet.
    Queued,
    /// Offered; the newest offer is void after `until`.
    Offered {
        /// End of the newest offer.
        until: DateTime<Utc>,
    },
    /// An agent owns the current epoch.
    Running {
        /// The agent's host.
        worker: HostId,
        /// The agent's process.
        instance: InstanceId,
        /// End of the lease unless it is renewed.
        lease_until: DateTime<Utc>,
        /// The wish that it stops.
        cancel: Option<CancelRequest>,
    },
    /// Its host is absent; it gets no offers.
    Deferred,
    /// A migration whose effect nobody knows.
    Indeterminate,
    /// Over.
    Ended(FinalState),
}

/// The states nothing leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinalState {
    /// Done.
    Succeeded,
    /// Failed.
    Failed,
    /// Cancelled without effect.
    Cancelled,
    /// A newer job took its place.
    Superseded,
    /// Cancelled, its effect unknown.
    Abandoned,
}

impl State {
    /// The state's name without its data.
    pub const fn name(&self) -> JobState {
        match self {
            Self::Queued => JobState::Queued,
            Self::Offered { .. } => JobState::Offered,
            Self::Running { .. } => JobState::Running,
            Self::Deferred => JobState::Deferred,
            Self::Indeterminate => JobState::Indeterminate,
            Self::Ended(FinalState::Succeeded) => JobState::Succeeded,
            Self::Ended(FinalState::Failed) => JobState::Failed,
            Self::Ended(FinalState::Cancelled) => JobState::Cancelled,
            Self::Ended(FinalState::Superseded) => JobState::Superseded,
            Self::Ended(FinalState::Abandoned) => JobState::Abandoned,
        }
    }
}

/// How and where a job failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where.
    pub phase: Phase,
    /// Stable code.
    pub code: String,
    /// What, where, why, what to do.
    pub message: String,
    /// The child's end, when a child failed.
    pub exit: Option<ProcessExit>,
    /// What had been changed when it failed.
    pub effect: Change,
}

/// How a job ended, for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Done.
    Succeeded {
        /// What it made.
        product: Product,
    },
    /// Failed.
    Failed(Failure),
    /// Cancelled without effect.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// A newer job took its place.
    Superseded {
        /// Which, for people.
        reason: String,
    },
    /// Cancelled, its effect unknown: the placement is unknown until its agent says hello.
    Abandoned {
        /// Why.
        reason: String,
    },
}

impl Ending {
    /// The state it ends in.
    pub const fn state(&self) -> FinalState {
        match self {
            Self::Succeeded { .. } => FinalState::Succeeded,
            Self::Failed(_) => FinalState::Failed,
            Self::Cancelled { .. } => FinalState::Cancelled,
            Self::Superseded { .. } => FinalState::Superseded,
            Self::Abandoned { .. } => FinalState::Abandoned,
        }
    }
}

/// A turn in a job's life that the rest of the system must answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnding {
    /// It is over.
    Final(Ending),
    /// A migration's effect is unknown; the job stays open until a result, a ledger reading or a person settles it.
    Indeterminate {
        /// Why.
        reason: String,
    },
    /// Its host is absent; the job stays open and is offered again when the host returns.
    Deferred {
        /// Why.
        reason: String,
    },
}
