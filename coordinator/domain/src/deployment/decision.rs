//! What is to be done next for a deployment. The store performs it; nothing here does.

use pointsman_shared::ids::{JobId, PlacementId, ReleaseId};

use super::facts::{DeploymentOutcome, Paused, ReleaseRef, RollbackDecision};

/// One thing to do, all of them in the transaction of the look that decided them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Freeze the hosts with their waves and the release to go back to.
    Start {
        /// The good release live now.
        from: Option<ReleaseRef>,
        /// Every host and its wave, from 1.
        hosts: Vec<(PlacementId, u32)>,
    },
    /// Bring a release to a host.
    Install {
        /// Where.
        placement: PlacementId,
        /// What.
        release: ReleaseId,
        /// Whether it is part of going back.
        undo: bool,
    },
    /// Apply the release's pre-migrations.
    Migrate {
        /// On which host.
        placement: PlacementId,
        /// Whose.
        release: ReleaseId,
    },
    /// Switch a host, with the next generation of its placement.
    Switch {
        /// Where.
        placement: PlacementId,
        /// To what.
        release: ReleaseId,
        /// Whether it is part of going back.
        undo: bool,
    },
    /// No longer wait for a host; its open jobs that nobody works on end.
    Defer {
        /// Where.
        placement: PlacementId,
        /// Why, for people.
        why: String,
    },
    /// End a job: at once when no agent works on it, by asking the agent otherwise. A switch whose agent was lost
    /// after its grant ends as abandoned: nobody knows its effect before the host speaks.
    Cancel {
        /// The job.
        job: JobId,
        /// Why, for people.
        reason: String,
    },
    /// Wait for a person.
    Pause(Paused),
    /// Go back on every host that was switched.
    RollBack(RollbackDecision),
    /// Write the outcome; every job of the deployment is over by then.
    End {
        /// How.
        outcome: DeploymentOutcome,
        /// In words.
        detail: String,
    },
}
