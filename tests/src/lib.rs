//! Whole-fleet tests, written in sentences over the sandbox: `world.deploys("v2").await`, `world.live_on("web-1")`.
//!
//! Nothing here knows how the fleet does it: these tests see what a user sees (the API, the web servers, the links on the
//! hosts) and what an operator could break (processes, the broker, the database, disks).

pub mod api;
pub mod git_server;
pub mod reader;
pub mod repository;
pub mod world;

pub use api::{Api, Refused};
pub use reader::Reader;
pub use repository::Repository;
pub use world::{World, shared};
