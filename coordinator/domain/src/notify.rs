//! Who is told what: topics of events, what they mean, rules, when to try again, and the words.
//!
//! Nothing here sends anything or knows what a channel is.

pub mod backoff;
pub mod rule;
pub mod text;
pub mod topic;

pub use backoff::{TRIES, wait};
pub use rule::{Rule, Selection};
pub use topic::{Bearing, Fact, Topic, turn};
