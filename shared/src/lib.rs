//! The language that coordinator, agents and CLI speak.
//!
//! It holds words and rules, no deeds: no sockets, no database, no runtime. The one thing it asks the system for is
//! the time and the ids of [`clock`], which everybody passes on as arguments; the one thing it does is to die at a
//! [`crash`] point.

pub mod address;
pub mod api;
pub mod certificate;
pub mod clock;
pub mod crash;
pub mod digest;
pub mod ids;
pub mod migration;
pub mod name;
#[cfg(feature = "openapi")]
mod openapi;
pub mod outcome;
pub mod readable;
pub mod recipe;
pub mod repository;
pub mod why;
pub mod wire;
