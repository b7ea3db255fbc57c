//! Reads shaped for a page of the API: one query where one is enough, and no SELECT pasted twice.

pub mod audit;
pub mod deployments;
pub mod host_jobs;
pub mod hosts;
pub mod jobs;
pub mod logs;
pub mod metrics;
pub mod migrations;
pub mod outcomes;
pub mod projects;
pub mod reach;
pub mod releases;
pub mod targets;
