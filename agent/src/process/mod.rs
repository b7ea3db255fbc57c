//! Child processes: the only room of the agent that starts any.
//!
//! Every child begins as `pointsman-agent gate` ([`gate`]), leads its own group and is known to the journal before it
//! runs a single instruction of its program. Nothing here knows what a job is.

pub mod gate;
mod group;
mod output;
mod proc;
mod run;
mod spawner;
mod watch;

pub use group::{GroupRecord, live_members, signal_group};
pub use output::{Line, LineSink, OutputLimits};
pub use run::{Command, Ended, Limits, ProcessError, Processes};
