//! What may happen to a job, and what a happening asks for.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::{Epoch, InstanceId};
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::Outcome;

use super::state::{CancelRequest, Job, JobEnding};

/// Who claims an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The host.
    pub host: HostId,
    /// Its current process.
    pub instance: InstanceId,
}

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEvent {
    /// It may be offered (again): its host is seen, or it is for a pool.
    Offer {
        /// End of the offer.
        until: DateTime<Utc>,
    },
    /// Its host is not seen.
    Unseen {
        /// Why, for people.
        why: String,
    },
    /// An agent wants the epoch after `epoch`.
    Claim {
        /// The offered epoch.
        epoch: Epoch,
        /// Who.
        by: Claimant,
        /// The lease that the grant gives.
        lease_until: DateTime<Utc>,
    },
    /// The host it is for refuses it for good: by its policy, or because it cannot read the body.
    Rejected {
        /// The offered epoch.
        epoch: Epoch,
        /// Stable code.
        code: &'static str,
        /// Rule and remedy.
        message: String,
    },
    /// The grant came too late; nothing was begun.
    NotBegun {
        /// The granted epoch.
        epoch: Epoch,
        /// The process that says so.
        instance: InstanceId,
        /// End of the next offer.
        until: DateTime<Utc>,
    },
    /// The epoch's agent is alive.
    Beat {
        /// The epoch.
        epoch: Epoch,
        /// The process.
        instance: InstanceId,
        /// The renewed lease.
        lease_until: DateTime<Utc>,
    },
    /// The lease ran out, or a successor of the process said hello.
    Lost {
        /// The epoch that is lost.
        epoch: Epoch,
        /// How.
        how: AttemptEnding,
        /// Why, for people.
        why: String,
        /// End of the next offer.
        until: DateTime<Utc>,
    },
    /// A signed result.
    Result {
        /// The epoch it belongs to.
        epoch: Epoch,
        /// What became of it.
        outcome: Outcome,
        /// End of the next offer, should there be one.
        until: DateTime<Utc>,
    },
    /// Somebody wants it to stop.
    Cancel(CancelRequest),
    /// A newer job takes its place.
    Supersede {
        /// Which, for people.
        reason: String,
    },
    /// Nobody who could take it was seen for too long.
    StartDeadline {
        /// Labels asked, agents that match, why each does not.
        reason: String,
    },
    /// Its offers came back unread too often.
    Unreadable {
        /// The offered epoch.
        epoch: Epoch,
        /// What came back.
        message: String,
    },
}

impl JobEvent {
    /// The event's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Offer { .. } => "offer",
            Self::Unseen { .. } => "unseen",
            Self::Claim { .. } => "claim",
            Self::Rejected { .. } => "rejected",
            Self::NotBegun { .. } => "not begun",
            Self::Beat { .. } => "beat",
            Self::Lost { .. } => "lost",
            Self::Result { .. } => "result",
            Self::Cancel(_) => "cancel",
            Self::Supersede { .. } => "supersede",
            Self::StartDeadline { .. } => "start deadline",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptEnding {
    /// With a result.
    Result,
    /// Its lease ran out.
    Lost,
    /// Nothing was begun.
    NotBegun,
    /// A successor of its process said hello.
    Replaced,
}

impl AttemptEnding {
    /// The name used in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Lost => "lost",
            Self::NotBegun => "not_begun",
            Self::Replaced => "replaced",
        }
    }
}

/// What an event asks its caller to do, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Put an offer of this epoch into the outbox.
    Offer {
        /// The offered epoch.
        epoch: Epoch,
    },
    /// Write the attempt and seal its grant.
    Grant {
        /// The granted epoch.
        epoch: Epoch,
    },
    /// Close the attempt.
    EndAttempt {
        /// Its epoch.
        epoch: Epoch,
        /// How.
        how: AttemptEnding,
    },
    /// Tell the working agent to stop.
    PushCancel {
        /// The running epoch.
        epoch: Epoch,
        /// Its host.
        worker: HostId,
        /// Its process.
        instance: InstanceId,
        /// Why, for people.
        reason: String,
    },
    /// Tell deployments and placements.
    Conclude(JobEnding),
    /// Note a result that came too late to change anything.
    NoteLate {
        /// The epoch it belongs to.
        epoch: Epoch,
    },
}

/// The next job, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The job after the event.
    pub job: Job,
    /// What to do, in order.
    pub effects: Vec<Effect>,
}

/// An event that does not apply; nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {state} does not take the event {event:?}: {why}")]
pub struct Refused {
    /// Name of the state.
    pub state: &'static str,
    /// Name of the event.
    pub event: &'static str,
    /// Why.
    pub why: &'static str,
}
