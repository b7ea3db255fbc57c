//! Pure decisions: who may do what, which job comes next, what a report changes, where a rollback may go.
//!
//! Facts come in, decisions and effects go out. This crate does no IO and never asks the time.

pub mod actor;
pub mod audit;
pub mod deployment;
pub mod fit;
pub mod forecast;
pub mod instance;
pub mod job;
pub mod known_causes;
pub mod log_marks;
pub mod migrations;
pub mod nearest;
pub mod notify;
pub mod placement;
pub mod plan;
pub mod presence;
pub mod promotion;
pub mod push;
pub mod reason;
pub mod recipe;
pub mod redaction;
pub mod refusal;
pub mod release;
pub mod retention;
pub mod rollback;
pub mod schedule;
pub mod terminal;
pub mod tickets;
pub mod timing;
pub mod waves;

pub use actor::{Action, Actor, ActorKind, Permit, Rights, hidden};
pub use refusal::{Refusal, RefusalKind};
