//! The keeper: one small process per sandbox that is the parent of everything in it and outlives it by seconds.
//!
//! It holds the reading end of a pipe; when the sandbox ends, in whatever way, the pipe closes and the keeper ends
//! every process. It adopts orphans of its children, so that "everything" is what the kernel says, not what a list
//! says. Should the keeper itself be killed, its children die with it.

mod child;
mod client;
mod order;
mod serve;

pub use child::become_child;
pub use client::{Keeper, Process};
pub use order::{Exit, Sign, Spec};
pub use serve::serve;
