//! Secrets: drawn from the system's randomness, shown once, kept as a digest, compared in constant time.

use pointsman_shared::digest::Digest;
use rand::TryRng as _;
use rand::rngs::SysRng;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::error::{OperationError, OperationResult};

/// `bytes` random bytes in hex.
pub fn draw<const BYTES: usize>() -> OperationResult<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0_u8; BYTES]);
    SysRng
        .try_fill_bytes(bytes.as_mut())
        .map_err(|error| OperationError::internal("drawing a secret", error))?;
    Ok(Zeroizing::new(hex::encode(bytes.as_ref())))
}

/// A salt for a password's hash at the broker.
pub fn salt() -> OperationResult<[u8; 4]> {
    let mut salt = [0; 4];
    SysRng
        .try_fill_bytes(&mut salt)
        .map_err(|error| OperationError::internal("salting a password", error))?;
    Ok(salt)
}

/// Whether `secret` is the one this digest was made of.
pub fn is(secret: &str, digest: &Digest) -> bool {
    Digest::of(secret.as_bytes())
        .as_bytes()
        .ct_eq(digest.as_bytes())
        .into()
}
