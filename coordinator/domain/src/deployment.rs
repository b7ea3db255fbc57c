//! A deployment: the wish to have a release live in a target, from its stored decisions and its jobs to the next step.
//!
//! ```text
//! facts      what is known            progress   what people are shown
//! standing   where each host stands   summary    counts and sentences
//! decide     the way forward          undo       the way back
//! gate       pre-migrations, between the barrier and the first switch
//! ```
//!
//! Invariants, tested against duplicated, re-ordered and lost events: no host switches before every host that can be
//! waited for has the release and its pre-migrations are applied; never two open switches on one placement; a deployment that hears enough always ends,
//! and ends once; it is never `live` with no host confirmed.

mod decide;
mod decision;
mod facts;
mod gate;
mod progress;
mod standing;
mod summary;
#[cfg(test)]
mod tests;
mod undo;

pub use decide::decide;
pub use decision::Decision;
pub use facts::{
    CancelDecision, DeploymentKind, DeploymentOutcome, Ended, Facts, HostFacts, JobFacts, MigrationFacts,
    PauseReason, Paused, ReleaseFacts, ReleaseRef, RollbackDecision,
};
pub use progress::{Progress, progress};
