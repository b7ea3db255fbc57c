//! How agents sign their HTTP requests (protocol.md 4): headers over method, path, body digest, job, epoch, instance
//! and time. HTTP between agent and coordinator carries bytes and values, never commands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::UnixMillis;
use super::keys::PublicKey;
use crate::digest::Digest;
use crate::ids::{Epoch, InstanceId, JobId};

/// Header with the host id.
pub const HOST: &str = "pointsman-host";
/// Header with the instance id.
pub const INSTANCE: &str = "pointsman-instance";
/// Header with the job id.
pub const JOB: &str = "pointsman-job";
/// Header with the epoch.
pub const EPOCH: &str = "pointsman-epoch";
/// Header with the time, in milliseconds since the Unix epoch.
pub const TIME: &str = "pointsman-time";
/// Header with the SHA-256 of the body, in hex; that of no bytes for a request without one.
pub const BODY_DIGEST: &str = "pointsman-body-sha256";
/// Header with the signature in base64.
pub const SIGNATURE: &str = "pointsman-signature";

/// How far a request's time may be from the reader's clock, in milliseconds.
pub const TOLERANCE_MS: i64 = 60_000;

/// What a request's signature covers.
#[derive(Debug, Clone, Copy)]
pub struct SignedParts<'a> {
    /// Upper-case method.
    pub method: &'a str,
    /// Path and query as sent.
    pub path: &'a str,
    /// SHA-256 of the body.
    pub body: Digest,
    /// The host.
    pub host: &'a str,
    /// The instance.
    pub instance: InstanceId,
    /// The job whose grant allows it.
    pub job: JobId,
    /// The granted epoch.
    pub epoch: Epoch,
    /// The agent's clock.
    pub at: UnixMillis,
}

impl SignedParts<'_> {
    /// The bytes that are signed.
    pub fn canonical(&self) -> Vec<u8> {
        format!(
            "pointsman-request-v1\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n",
            self.method, self.path, self.body, self.host, self.instance, self.job, self.epoch, self.at
        )
        .into_bytes()
    }

    /// Whether `signature` (base64) is this key's signature over these parts.
    pub fn is_signed_by(&self, key: &PublicKey, signature: &str) -> bool {
        let Ok(bytes) = BASE64.decode(signature) else {
            return false;
        };
        let Ok(signature) = ed25519_dalek::Signature::from_slice(&bytes) else {
            return false;
        };
        key.dalek().verify_strict(&self.canonical(), &signature).is_ok()
    }
}
