//! What an agent decides: pure, told of what happened and answering with what to do.
//!
//! ```text
//! broker, clock, workers --Event--> Dispatcher --Action--> the edge acts
//! ```
//!
//! It never waits, reads no clock and opens no file. One file per part of the conversation; [`Dispatcher`] joins them.

mod action;
mod beat;
mod claim;
mod control;
mod event;
mod greeting;
mod offer;
mod recent;
mod refusals;
mod state;
mod work;

pub use action::{Action, Assignment, Settle};
pub use event::{Chance, DeliveryId, Event, JobQueue, Now, Screened};
pub use state::{Dispatcher, Me};

#[cfg(test)]
mod tests;
