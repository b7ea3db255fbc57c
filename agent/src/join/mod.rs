//! Joining: a one-time token becomes a key, a membership and pinned keys in the state folder.
//!
//! The token carries the fingerprint of the coordinator's key, so the answer is believed for its signature and not for
//! where it came from.

mod flow;
mod token;

pub use flow::{JoinError, Joined, join};
pub use token::{InvalidToken, JoinToken};
