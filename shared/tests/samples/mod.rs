//! One sample of every message, with every optional part present at least once.

mod bodies;
mod from_agent;
mod reports;
mod to_agent;

pub use bodies::bodies;
pub use from_agent::{from_agent, log_chunks};
pub use to_agent::to_agent;

use pointsman_shared::digest::Digest;
use uuid::Uuid;

/// A UUID that a reader can tell apart.
pub const fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// 2026-11-20T12:00:00Z
pub const NOON: i64 = 1_795_176_000_000;
