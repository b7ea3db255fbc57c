//! What forges send when somebody pushes: whether it is theirs, and what it says. Pure: bytes and headers in, a push out.
//!
//! The signature is checked over the raw bytes before anything is parsed. What a call says is only a hint that a ref may
//! have moved; what is deployed is what the repository itself says afterwards. So a call that comes late, twice, or out
//! of order does no harm. This module refuses to look at anything but the few fields it needs.

mod call;
mod signature;

#[cfg(test)]
mod tests;

pub use call::{Call, Told, read};
pub use signature::{Mismatch, check};

/// Longest id of a call that is kept, in bytes.
const LONGEST_ID: usize = 200;

/// A header by its lower-case name.
pub trait Headers {
    /// Its value, when it is there and text.
    fn text(&self, name: &str) -> Option<&str>;
}

impl Headers for axum::http::HeaderMap {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| value.to_str().ok())
    }
}
