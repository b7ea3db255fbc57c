//! Staying with work until it ends: deployments, builds, single jobs and logs.
//!
//! Following is level-triggered: an event, or two seconds, only cause the state to be read again; what is printed and
//! how the command ends is decided by what was read. Ctrl-C lets go of the work, it never stops it (except inside the
//! hold before anything was published).

mod changes;
mod deployment;
mod ending;
mod job;
mod log_line;
mod log_merge;
mod release;
mod waiter;

use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::api::events::Event;
use pointsman_shared::api::releases::Release;
use serde::Serialize;

pub use changes::reason;
pub use deployment::deployment;
pub use ending::{Goal, after_cancel};
pub use job::job;
pub use log_line::{LogLine, Look};
pub use log_merge::LogMerge;
pub use release::release;
pub use waiter::{Waiter, Wake};

/// A line of `-o json` while following; its only key says what it is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Streamed<'a> {
    /// Something happened.
    Event(&'a Event),
    /// The deployment as it stands: first and last line.
    Deployment(&'a Deployment),
    /// The release as it stands: first and last line.
    Release(&'a Release),
    /// A line of a log.
    Line(&'a LogLine),
}
