//! Copying bytes while hashing them, in chunks that let the caller stop the work.

use std::io::{self, Read};

use pointsman_shared::digest::Digest;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::watch::Watch;

/// Large enough that system calls do not count, small enough that stopping is quick.
pub(crate) const CHUNK: usize = 64 * 1024;

/// A buffer of [`CHUNK`] bytes, one per thread.
pub(crate) fn buffer() -> Vec<u8> {
    vec![0; CHUNK]
}

/// Reads `reader` to its end, gives every chunk to `sink`, and returns length and digest.
/// `failed` names the file when reading fails.
pub(crate) fn drain(
    mut reader: impl Read,
    buffer: &mut [u8],
    watch: &Watch<'_>,
    failed: impl Fn(io::Error) -> Error,
    mut sink: impl FnMut(&[u8]) -> Result<()>,
) -> Result<(u64, Digest)> {
    let mut hasher = Sha256::new();
    let mut length: u64 = 0;
    loop {
        let read = match reader.read(buffer) {
            Ok(0) => return Ok((length, Digest::from_bytes(hasher.finalize().into()))),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        let chunk = &buffer[..read];
        hasher.update(chunk);
        length += read as u64;
        sink(chunk)?;
        watch.handled(read)?;
    }
}
