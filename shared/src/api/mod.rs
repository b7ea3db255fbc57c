//! The HTTP API's types, version 1: what coordinator and CLI exchange as JSON.
//!
//! Readers ignore unknown fields of answers (a newer coordinator may say more); requests refuse them.

pub mod accounts;
pub mod agent;
pub mod causes;
pub mod deploy_keys;
pub mod deployments;
pub mod events;
pub mod files;
pub mod fleet;
pub mod garbage;
pub mod jobs;
pub mod locks;
pub mod migrations;
pub mod notifications;
pub mod plans;
pub mod problem;
pub mod projects;
pub mod pushes;
pub mod recipes;
pub mod refs;
pub mod releases;
pub mod tokens;

pub use problem::Problem;

use serde::{Deserialize, Serialize};

/// One page of a list, newest first unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass it as `cursor` to get the next page; none on the last.
    pub next: Option<String>,
}

/// Header that makes a request repeatable: the same key and body give the same answer for 24 hours.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
