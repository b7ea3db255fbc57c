//! The commands: each asks the API, shows the result, and says how to take it back. None decides anything that the
//! coordinator decides.

mod account;
mod apply;
mod audit;
mod build;
mod channel;
mod completions;
mod decide;
mod delivery;
mod deploy;
mod deployments;
mod dispatch;
mod doctor;
mod environment;
mod events;
mod garbage;
mod help;
mod hosts;
mod intervene;
mod jobs;
mod key;
mod listing;
mod locks;
mod login;
mod logs;
mod man;
mod mark;
mod migrations;
mod names;
mod open;
mod plan;
mod project;
mod push;
mod recipe;
mod rule;
mod status;
mod target;
mod token;
mod top;
mod undo;
mod variable;
mod webhook;
mod why;

pub use build::release_table;
pub use deployments::deployment_hosts;
pub use dispatch::run;
