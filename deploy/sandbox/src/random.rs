//! Passwords and choices of a sandbox; nothing here is ever reproduced, so the system's generator is used directly.

use rand::RngExt as _;

/// A secret of 32 hex digits.
pub(crate) fn secret() -> String {
    hex::encode(rand::rng().random::<[u8; 16]>())
}

/// Four bytes of salt.
pub(crate) fn salt() -> [u8; 4] {
    rand::rng().random()
}

/// A number from 0 to `bound` - 1.
pub(crate) fn below(bound: u32) -> u32 {
    rand::rng().random_range(0..bound.max(1))
}
