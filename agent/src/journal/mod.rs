//! The agent's own state folder: what it must know after a crash, and nothing else.
//!
//! Which process groups may still live, and which roots it may have touched. Both are durable before the thing they
//! speak of happens. Keys and spools lie beside them and belong to others.

mod folder;
mod groups;
mod roots;

pub use folder::{StateError, StateFolder};
pub use groups::Groups;
pub use roots::{RootRecord, Roots};
