//! DSSE envelopes: the exact bytes are signed, kept and parsed once, after the signature was checked.
//!
//! Only [`Envelope::verify`] builds a [`Verified`]; executors accept nothing else. This module refuses to parse a
//! payload whose signature it could not check.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::Signer as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::keys::{KeyId, KeySet, Role, SigningKey};
use super::{FromAgent, LogChunk, MAX_ENVELOPE, ToAgent};

/// A message that may travel sealed; the payload type binds the direction into the signature.
pub trait Message: Serialize + DeserializeOwned {
    /// The DSSE payload type.
    const PAYLOAD_TYPE: &'static str;
    /// Whose key must have signed it.
    const SIGNED_BY: Role;
}

impl Message for ToAgent {
    const PAYLOAD_TYPE: &'static str = "application/vnd.pointsman.to-agent.v1+json";
    const SIGNED_BY: Role = Role::Coordinator;
}

impl Message for FromAgent {
    const PAYLOAD_TYPE: &'static str = "application/vnd.pointsman.from-agent.v1+json";
    const SIGNED_BY: Role = Role::Agent;
}

impl Message for LogChunk {
    const PAYLOAD_TYPE: &'static str = "application/vnd.pointsman.log-chunk.v1+json";
    const SIGNED_BY: Role = Role::Agent;
}

impl Message for crate::api::agent::Membership {
    const PAYLOAD_TYPE: &'static str = "application/vnd.pointsman.membership.v1+json";
    const SIGNED_BY: Role = Role::Coordinator;
}

/// A sealed message as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: KeyId,
    sig: String,
}

/// An envelope that cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Larger than [`MAX_ENVELOPE`].
    #[error("message has {bytes} bytes, more than the allowed {MAX_ENVELOPE}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not an envelope.
    #[error("message is not a DSSE envelope")]
    Malformed(#[source] serde_json::Error),
}

/// An envelope whose content must not be used.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The payload is of another type or version than expected here.
    #[error("payload type {found:?} is not {expected:?}: sent by a newer version, or to the wrong queue")]
    WrongType {
        /// What it claims to be.
        found: String,
        /// What is read here.
        expected: &'static str,
    },
    /// Not exactly one signature.
    #[error("expected exactly one signature, found {0}")]
    SignatureCount(usize),
    /// The key is not one we trust for this.
    #[error("signed by key {0}, which is not trusted for this message")]
    UnknownKey(KeyId),
    /// The signature does not belong to these bytes.
    #[error("signature by key {0} does not match the message")]
    Forged(KeyId),
    /// Signed, but not a message this version can read.
    #[error("message is signed but cannot be read")]
    Unreadable(#[source] serde_json::Error),
}

/// A message whose signature was checked; only [`Envelope::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    message: T,
    key: KeyId,
}

impl<T> Verified<T> {
    /// The message.
    pub const fn get(&self) -> &T {
        &self.message
    }

    /// The message, taken out.
    pub fn into_inner(self) -> T {
        self.message
    }

    /// The key that signed it.
    pub const fn key(&self) -> &KeyId {
        &self.key
    }

    /// Narrows a verified message to a part of it, keeping the proof.
    pub fn narrow<U>(self, part: impl FnOnce(T) -> U) -> Verified<U> {
        Verified {
            message: part(self.message),
            key: self.key,
        }
    }
}

impl Envelope {
    /// Seals a message. Crate-private on purpose: callers sign *messages* through [`SigningKey`], never bytes.
    pub(super) fn seal<M: Message>(message: &M, key: &SigningKey) -> Self {
        // A message is made of strings, numbers and lists; serializing one cannot fail.
        let payload = serde_json::to_vec(message).unwrap_or_default();
        let signature = key.dalek().sign(&pre_authentication(M::PAYLOAD_TYPE, &payload));
        Self {
            payload_type: M::PAYLOAD_TYPE.to_owned(),
            payload: BASE64.encode(&payload),
            signatures: vec![Signature {
                keyid: key.id(),
                sig: BASE64.encode(signature.to_bytes()),
            }],
        }
    }

    /// The bytes that travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads an envelope, not its payload.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::TooLarge { bytes: bytes.len() });
        }
        serde_json::from_slice(bytes).map_err(EnvelopeError::Malformed)
    }

    /// Checks type, key, role and signature over the exact bytes, then parses them.
    pub fn verify<M: Message>(&self, keys: &KeySet) -> Result<Verified<M>, VerifyError> {
        if self.payload_type != M::PAYLOAD_TYPE {
            let found = self.payload_type.chars().take(120).collect();
            return Err(VerifyError::WrongType {
                found,
                expected: M::PAYLOAD_TYPE,
            });
        }
        let [signature] = self.signatures.as_slice() else {
            return Err(VerifyError::SignatureCount(self.signatures.len()));
        };
        let id = &signature.keyid;
        let key = keys
            .find(id, M::SIGNED_BY)
            .ok_or_else(|| VerifyError::UnknownKey(id.clone()))?;
        let forged = || VerifyError::Forged(id.clone());
        let payload = BASE64.decode(&self.payload).map_err(|_| forged())?;
        let bytes = BASE64.decode(&signature.sig).map_err(|_| forged())?;
        let signed = ed25519_dalek::Signature::from_slice(&bytes).map_err(|_| forged())?;
        key.dalek()
            .verify_strict(&pre_authentication(M::PAYLOAD_TYPE, &payload), &signed)
            .map_err(|_| forged())?;
        let message = serde_json::from_slice(&payload).map_err(VerifyError::Unreadable)?;
        Ok(Verified {
            message,
            key: id.clone(),
        })
    }
}

/// DSSE's pre-authentication encoding: type and payload with their lengths, so that neither can run into the other.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}
