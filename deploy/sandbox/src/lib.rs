//! A whole private fleet on one machine: PostgreSQL, RabbitMQ, coordinators, agents, web servers.
//!
//! It is what `deploy/demo` shows and what the end-to-end tests stand on. Everything lies in one folder, listens on
//! loopback, belongs to one unprivileged user and ends with the sandbox, whatever ends the sandbox.

pub mod api;
pub mod authority;
pub mod error;
pub mod fleet;
pub mod history;
pub mod http;
pub mod keeper;
pub mod options;
pub mod place;
pub mod ports;
pub mod programs;
mod random;
pub mod sandbox;
pub mod service;
pub mod services;
mod tenancy;
pub mod user;
pub mod web;

pub use error::{Error, Result};
pub use fleet::Pace;
pub use history::{InventedFleet, InventedPast};
pub use options::Options;
pub use sandbox::{Progress, Sandbox};
pub use services::Services;
