//! Messages between coordinator and agents (protocol.md 4), version 1.
//!
//! Two directions, two enums: [`ToAgent`] is signed by a coordinator, [`FromAgent`] by one agent. Every message is
//! sealed in a DSSE envelope and is parsed once, after its signature was checked. Unknown fields, unknown versions and
//! oversized messages are refused; a new field is a new version.

pub mod envelope;
pub mod from_agent;
pub mod job;
pub mod keys;
pub mod logs;
pub mod request;
pub mod rights;
pub mod to_agent;
pub mod topology;
pub mod trace;

pub use envelope::{Envelope, EnvelopeError, Verified, VerifyError};
pub use from_agent::FromAgent;
pub use job::{JobBody, Order};
pub use keys::{KeyId, KeySet, PublicKey, Role, SigningKey};
pub use logs::LogChunk;
pub use to_agent::ToAgent;
pub use trace::{TRACE_HEADER, TraceParent};

/// The wire version this build speaks.
pub const VERSION: u16 = 1;

/// The versions of job bodies that this build reads. 2: a build may ask for submodules, and a
/// builder to collect what builds left behind. A body has the lowest version that
/// can say what it asks, so that agents which read only that one go on working.
pub const BODY_VERSIONS: [u16; 2] = [1, 2];

/// Largest envelope that is accepted, in bytes.
pub const MAX_ENVELOPE: usize = 64 * 1024;

/// 128 bits that tie an answer to one question; 32 lowercase hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Nonce(pub String);

impl Nonce {
    /// A nonce of 16 random bytes that the caller drew.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(hex::encode(bytes))
    }
}

/// A time on the wire: milliseconds since the Unix epoch, UTC.
pub type UnixMillis = i64;
