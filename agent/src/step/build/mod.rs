//! Building: a commit becomes a release's three objects.
//!
//! Everything happens in a folder of this epoch alone, which is removed when it ends. Build steps are other people's
//! programs: they get their own home, their own temporary folder and the named variables, nothing else of ours.

mod cache;
mod collection;
mod shell;
mod source;
mod upkeep;
#[cfg(test)]
mod upkeep_tests;
mod work;
mod workshop;

pub use collection::WorkshopWork;
pub use work::BuildWork;
pub use workshop::Workshop;
