//! Reads shaped for a page of the API: one query where one is enough, and no SELECT pasted twice.

pub mod audit;
pub mod deployments;
pub mod host_jobs;
pub mod host_versions;
pub mod hosts;
pub mod job_queue;
pub mod jobs;
pub mod log_window;
pub mod logs;
pub mod matrix;
pub mod metrics;
pub mod migrations;
pub mod needs;
pub mod outcomes;
pub mod own;
pub mod past;
pub mod placements;
mod presence;
pub mod projects;
pub mod reach;
pub mod releases;
pub mod stages;
pub mod targets;
pub mod way_back;
