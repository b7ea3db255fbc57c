//! An object on its way in: its pieces are counted and hashed as they pass, and whoever falls silent is given up.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use object_store::WriteMultipart;
use pointsman_shared::digest::Digest;
use sha2::{Digest as _, Sha256};

use super::ArtifactError;

/// Longest silence of a sender.
const SILENCE: Duration = Duration::from_mins(1);
/// Parts written at the same time.
const AT_ONCE: usize = 4;

/// What comes from a sender, piece by piece.
pub(super) struct Receiving<S> {
    content: S,
    most: u64,
    bytes: u64,
    hasher: Sha256,
}

impl<S, E> Receiving<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: std::fmt::Display,
{
    /// At most `most` bytes are taken.
    pub(super) fn new(content: S, most: u64) -> Self {
        Self {
            content,
            most,
            bytes: 0,
            hasher: Sha256::new(),
        }
    }

    /// The next piece; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ArtifactError> {
        let piece = match tokio::time::timeout(SILENCE, self.content.next()).await {
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(error))) => return Err(self.broken(error.to_string())),
            Ok(None) => return Ok(None),
            Err(_) => return Err(self.broken(format!("nothing came for {} s", SILENCE.as_secs()))),
        };
        self.bytes += piece.len() as u64;
        if self.bytes > self.most {
            return Err(ArtifactError::TooLarge { most: self.most });
        }
        self.hasher.update(&piece);
        Ok(Some(piece))
    }

    fn broken(&self, why: String) -> ArtifactError {
        ArtifactError::BrokenOff {
            bytes: self.bytes,
            why,
        }
    }

    /// Whether everything that came has this digest; returns how many bytes it was.
    pub(super) fn verify(self, wanted: Digest) -> Result<u64, ArtifactError> {
        let found = Digest::from_bytes(self.hasher.finalize().into());
        if found == wanted {
            Ok(self.bytes)
        } else {
            Err(ArtifactError::OtherContent { found, wanted })
        }
    }

    /// Passes the rest on, and verifies the whole.
    pub(super) async fn pour(
        mut self,
        writer: &mut WriteMultipart,
        wanted: Digest,
    ) -> Result<u64, ArtifactError> {
        while let Some(piece) = self.next().await? {
            writer
                .wait_for_capacity(AT_ONCE)
                .await
                .map_err(ArtifactError::store("writing an object"))?;
            writer.put(piece);
        }
        self.verify(wanted)
    }
}
