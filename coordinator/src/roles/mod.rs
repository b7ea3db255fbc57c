//! The coordinator's loops: roles of one binary, each harmless to run twice, here or on another machine.

mod kind;
mod notify;
mod pushes;
mod reconcile;
mod schedule;
mod serve;

pub use kind::Role;
pub use serve::{ServeFailure, serve};
