//! A job's life: which events may change it, and what each change asks of its caller.
//!
//! The machine is pure: [`Job::apply`] takes the job and one event and returns the next job with the effects to
//! perform, or a refusal that names both. It performs nothing, asks no time, and knows no rows.

mod event;
mod result;
mod state;
mod transition;
mod ways_out;

pub use event::{AttemptEnding, Claimant, Effect, JobEvent, Refused, Step};
pub use state::{CancelRequest, Ending, Failure, FinalState, Job, JobEnding, Purpose, State};

#[cfg(test)]
mod tests;
