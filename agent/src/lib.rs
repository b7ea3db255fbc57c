//! The agent: takes signed orders, builds, installs, switches and reports.
//!
//! Two halves. One knows the host (`layout`, `process`, `plan`, `step`, `journal`, `recovery`): folders, links,
//! children; it never opens a socket. The other knows the coordinator (`broker`, `dispatcher`, `spool`, `logs`,
//! `artifact`, `identity`, `join`): messages in, messages out; it never touches a root. They meet in `executor`.

pub mod adoption;
pub mod artifact;
pub mod broker;
pub mod chance;
pub mod command;
pub mod config;
pub mod describe;
pub mod dir;
pub mod dispatcher;
pub mod edge;
pub mod executor;
pub mod http;
pub mod identity;
pub mod join;
pub mod journal;
pub mod layout;
pub mod lease;
pub mod letter;
pub mod lifecycle;
pub mod logs;
pub mod metrics;
pub mod plan;
pub mod policy;
pub mod process;
pub mod recovery;
pub mod spool;
pub mod step;
pub mod time;
#[cfg(test)]
mod trust_tests;

pub(crate) use pointsman_shared::crash_point;
