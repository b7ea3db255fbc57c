//! The fleet above the services: coordinators, hosts with their agents and web servers, and the settings they start with.

mod coordinator;
mod environment;
mod ground;
mod host;
mod settings;

pub use coordinator::Coordinator;
pub use host::{Host, Site};
pub use settings::Pace;

pub(crate) use coordinator::{Addresses, CoordinatorSetup};
pub(crate) use ground::Ground;
pub(crate) use host::HostSetup;
