//! The host side of the agent against a real system: real processes, real folders, real kills.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says where and stops"
)]

mod actor;
mod build;
mod collect;
mod crash;
mod database;
mod desk;
mod full;
mod health;
mod install;
mod machine;
mod migrations;
mod nginx;
mod process;
mod recovery;
mod roots;
mod switch;
mod world;
