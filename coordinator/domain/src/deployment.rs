//! A deployment: the wish to have a release live in a target, from its stored decisions and its jobs to the next step.
//!
//! ```text
//! facts      what is known            progress   what people are shown
//! start      what a wish waits for
//! standing   where each host stands   summary    counts and sentences
//! decide     the way forward          undo       the way back
//! gate       pre-migrations, between the barrier and the first switch
//! intervene  what a person may say about single hosts and the next wave
//! left       how long it usually takes from here
//! ways_out   what a person may do about one that waits
//! ```
//!
//! Invariants, tested against duplicated, re-ordered and lost events: no host switches before every host that can be
//! waited for has the release and its pre-migrations are applied; never two open switches on one placement; a deployment that hears enough always ends,
//! and ends once; it is never `live` with no host confirmed.

mod decide;
mod decision;
mod facts;
mod gate;
mod intervene;
mod left;
mod progress;
mod standing;
mod start;
mod summary;
#[cfg(test)]
mod tests;
mod undo;
mod ways_out;

pub use decide::decide;
pub use decision::Decision;
pub use facts::{
    CancelDecision, DeploymentKind, DeploymentOutcome, Ended, Facts, HostFacts, JobFacts, MigrationFacts,
    PauseReason, PauseWish, Paused, ReleaseFacts, ReleaseRef, RollbackDecision,
};
pub use intervene::Intervention;
pub use left::{Left, StageTimes, left};
pub use progress::{Progress, outcome, progress};
pub use start::foreseen;
