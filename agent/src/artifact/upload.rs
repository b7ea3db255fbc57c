//! Objects into the store. They are named by their content, so sending one twice is harmless.

use std::path::Path;

use pointsman_shared::api::agent::{ObjectKind, Stored};
use pointsman_shared::digest::Digest;
use reqwest::{Body, Method, header};
use tokio_util::io::ReaderStream;

use super::Artifacts;
use super::retry::{ArtifactError, Tries};
use crate::dir::FileError;

/// Most bytes of an answer.
const ANSWER_BYTES: usize = 4096;
/// Bytes read from the file at once.
const PIECE: usize = 64 * 1024;

impl Artifacts {
    /// Stores a file whose digest and size the caller knows; the coordinator checks both.
    pub async fn store_file(
        &self,
        kind: ObjectKind,
        digest: Digest,
        bytes: u64,
        from: &Path,
    ) -> Result<Stored, ArtifactError> {
        let mut tries = Tries::new(&self.lease);
        loop {
            match tries.run(self.send_file(kind, digest, bytes, from)).await {
                Ok(stored) => return Ok(stored),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    async fn send_file(
        &self,
        kind: ObjectKind,
        digest: Digest,
        bytes: u64,
        from: &Path,
    ) -> Result<Stored, ArtifactError> {
        let file = tokio::fs::File::open(from)
            .await
            .map_err(|error| FileError::new("read", from, error))?;
        let body = Body::wrap_stream(ReaderStream::with_capacity(file, PIECE));
        self.put(kind, digest, bytes, body).await
    }

    async fn put(
        &self,
        kind: ObjectKind,
        digest: Digest,
        bytes: u64,
        body: Body,
    ) -> Result<Stored, ArtifactError> {
        let request = self
            .signed(Method::PUT, &kind.path(&digest), digest)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, bytes)
            .body(body);
        let answer = self.read(request, ANSWER_BYTES).await?;
        Ok(serde_json::from_slice(&answer).unwrap_or(Stored { existed: false }))
    }
}
