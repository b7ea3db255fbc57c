//! The agent: takes signed orders, builds, installs, switches and reports.
//!
//! The half that stands here knows the host: processes, folders, links. It never opens a socket to the broker.

pub mod crash;
pub mod describe;
pub mod dir;
pub mod journal;
pub mod layout;
pub mod lease;
pub mod policy;
pub mod process;
pub mod recovery;
