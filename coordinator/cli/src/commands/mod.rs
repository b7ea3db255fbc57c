//! The commands: each asks the API, shows the result, and says how to take it back. None decides anything that the
//! coordinator decides.

mod apply;
mod audit;
mod build;
mod decide;
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
mod listing;
mod locks;
mod login;
mod logs;
mod mark;
mod migrations;
mod plan;
mod project;
mod recipe;
mod status;
mod target;
mod token;
mod variable;

pub use build::release_table;
pub use deployments::deployment_hosts;
pub use dispatch::run;
