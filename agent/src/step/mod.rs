//! Steps: the deeds of a plan, one room per kind of job. Every step may be done again after a crash between any two.
//!
//! Nothing here knows the broker: what a step needs from the outside it asks of the [`Desk`].

mod build;
mod collect;
mod command;
mod desk;
mod failure;
mod hook;
mod install;
mod job;
mod migrate;
mod switch;
mod variables;

pub use build::{BuildWork, Workshop, WorkshopWork};
pub use collect::CollectWork;
pub use desk::{Desk, Object, TransferError};
pub use failure::{Failure, StepError};
pub use install::InstallWork;
pub use job::{Host, Job};
pub use migrate::MigrateWork;
pub use switch::{SwitchWork, probe_client};
pub use variables::{ExpandError, Values};
