//! The host side of the agent against a real system: real processes, real folders, real kills.

mod actor;
mod desk;
mod install;
mod machine;
mod process;
mod recovery;
mod switch;
mod world;
