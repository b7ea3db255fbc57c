//! The demo: a story told with a real fleet, every word of it checked on the hosts.
//!
//! Its lines are commands that the reader can repeat; what they print is shown as it comes. Nothing of it is staged:
//! a read-back that differs from what it should be makes the demo fail.

mod command_line;
mod epilogue;
mod narrator;
mod read_back;
mod repository;
mod sample;
mod story;
mod summary;
mod tales;
mod tree;

pub(crate) use epilogue::show_next;
pub(crate) use narrator::Narrator;
pub(crate) use repository::{CallersGit, project_name};
pub(crate) use story::{Stage, Tale, tell};
pub(crate) use summary::Summary;
