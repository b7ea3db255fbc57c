//! The API's edge: HTTP in, one operation or one view, JSON out.
//!
//! Handlers extract, call one operation, present. They decide nothing and know no SQL.

mod account;
mod accounts;
mod agent;
mod audit;
mod caller;
mod causes;
mod channels;
mod deliveries;
mod deploy_keys;
mod deployments;
mod edge;
mod environments;
mod events;
mod extract;
mod files;
mod garbage;
mod guard;
mod health;
mod hosts;
mod jobs;
mod locks;
mod metrics;
mod migrations;
mod openapi;
mod pages;
mod paging;
mod plans;
mod problem;
mod projects;
mod reach;
mod recipes;
mod refs;
mod releases;
mod repeat;
mod router;
mod rules;
mod server;
mod targets;
mod tokens;
mod variables;
mod webhooks;

pub use caller::TOKEN_PREFIX;
pub use guard::Access;
pub use openapi::{document, unmatched};
pub use pages::{routes as pages, upkeep};
pub use reach::Reach;
pub use router::{Route, routes};
pub use server::{ServeError, check_tls, serve};
