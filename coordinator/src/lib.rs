//! The coordinator: it owns the truth in PostgreSQL, decides, publishes offers and grants, and shows what happens.
//!
//! Roles of one binary (`serve --roles http,relay,intake,reconcile,schedule,notify`); several may run against one database.

pub mod app;
pub mod artifacts;
pub mod broker;
pub mod config;
mod deploy_key;
pub mod error;
pub mod forge;
pub mod http;
pub mod init;
pub mod key_file;
pub mod known_causes;
pub mod lifecycle;
pub mod live;
pub mod metrics;
pub mod mirrors;
pub mod notify;
pub mod oidc;
pub mod operations;
pub mod password;
pub mod reply;
pub mod roles;
pub mod secrets;
pub mod signatory;
pub mod system;
pub mod vault;

pub(crate) use pointsman_shared::crash_point;
