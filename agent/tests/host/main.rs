//! The host side of the agent against a real system: real processes, real folders, real kills.

mod actor;
mod process;
mod recovery;
mod world;
