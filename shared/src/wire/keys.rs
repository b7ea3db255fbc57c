//! Keys, their ids and the versioned set an agent trusts.
//!
//! Private keys live in [`SigningKey`], which signs messages and never bytes, and never shows itself in a log.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::envelope::Envelope;
use super::{FromAgent, LogChunk, ToAgent, request};
use crate::digest::Digest;

/// First 16 bytes of the SHA-256 of a public key, in hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who a key speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A coordinator.
    Coordinator,
    /// An agent.
    Agent,
}

/// A key that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ed25519 key: expected 32 bytes in base64")]
pub struct InvalidKey;

/// A public ed25519 key; base64 outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// Wraps raw bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| InvalidKey)?;
        ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| InvalidKey)
    }

    /// The raw 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        KeyId(hex::encode(&Digest::of(self.as_bytes()).as_bytes()[..16]))
    }

    pub(super) const fn dalek(&self) -> &ed25519_dalek::VerifyingKey {
        &self.0
    }
}

impl TryFrom<String> for PublicKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_bytes(&BASE64.decode(text).map_err(|_| InvalidKey)?)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        BASE64.encode(key.as_bytes())
    }
}

/// A public key with its role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// Who it speaks for.
    pub role: Role,
    /// The key.
    pub key: PublicKey,
}

/// A versioned set of keys; readers keep the highest version they have seen signed by a key they trust.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KeySet {
    /// Rises with every change.
    pub version: u64,
    /// The keys.
    pub keys: Vec<TrustedKey>,
}

impl KeySet {
    /// A set with one key.
    pub fn of(role: Role, key: PublicKey) -> Self {
        Self {
            version: 0,
            keys: vec![TrustedKey { role, key }],
        }
    }

    /// The key with this id and role.
    pub fn find(&self, id: &KeyId, role: Role) -> Option<&PublicKey> {
        self.keys
            .iter()
            .find(|trusted| trusted.role == role && trusted.key.id() == *id)
            .map(|trusted| &trusted.key)
    }
}

/// A private ed25519 key.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

impl SigningKey {
    /// A key from 32 random bytes that the caller drew.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The key as its file holds it: base64 of the seed and a newline.
    pub fn to_file(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", BASE64.encode(self.0.as_bytes())))
    }

    /// Reads what [`Self::to_file`] wrote.
    pub fn from_file(text: &str) -> Result<Self, InvalidKey> {
        let seed = Zeroizing::new(BASE64.decode(text.trim()).map_err(|_| InvalidKey)?);
        let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| InvalidKey)?;
        Ok(Self::from_seed(seed))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.public().id()
    }

    /// Seals an agent's message.
    pub fn sign_from_agent(&self, message: &FromAgent) -> Envelope {
        Envelope::seal(message, self)
    }

    /// Seals a log chunk.
    pub fn sign_log_chunk(&self, chunk: &LogChunk) -> Envelope {
        Envelope::seal(chunk, self)
    }

    /// Seals a coordinator's message. Coordinators call this behind their `Signatory`, one method per message.
    pub fn sign_to_agent(&self, message: &ToAgent) -> Envelope {
        Envelope::seal(message, self)
    }

    /// Seals the answer to a host that joins.
    pub fn sign_membership(&self, membership: &crate::api::agent::Membership) -> Envelope {
        Envelope::seal(membership, self)
    }

    /// Signs an HTTP request of an agent.
    pub fn sign_request(&self, request: &request::SignedParts<'_>) -> String {
        use ed25519_dalek::Signer as _;
        BASE64.encode(self.0.sign(&request.canonical()).to_bytes())
    }

    pub(super) const fn dalek(&self) -> &ed25519_dalek::SigningKey {
        &self.0
    }
}
