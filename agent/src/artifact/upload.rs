//! Objects into the store. They are named by their content, so sending one twice is harmless.

use std::path::Path;

use bytes::Bytes;
use pointsman_shared::api::agent::{ObjectKind, Stored};
use pointsman_shared::digest::Digest;
use reqwest::{Body, Method, header};
use tokio_util::io::ReaderStream;

use super::Artifacts;
use super::retry::{ArtifactError, retrying};
use crate::dir::FileError;

/// Most bytes of an answer.
const ANSWER_BYTES: usize = 4096;
/// Bytes read from the file at once.
const PIECE: usize = 64 * 1024;

impl Artifacts {
    /// Stores an object that is in memory.
    pub async fn store(&self, kind: ObjectKind, content: Bytes) -> Result<Stored, ArtifactError> {
        let digest = Digest::of(&content);
        retrying(&self.patience, &self.lease, async || {
            self.put(kind, digest, content.len() as u64, Body::from(content.clone()))
                .await
        })
        .await
    }

    /// Stores a file whose digest and size the caller knows; the coordinator checks both.
    pub async fn store_file(
        &self,
        kind: ObjectKind,
        digest: Digest,
        bytes: u64,
        from: &Path,
    ) -> Result<Stored, ArtifactError> {
        retrying(&self.patience, &self.lease, async || {
            let file = tokio::fs::File::open(from)
                .await
                .map_err(|error| FileError::new("read", from, error))?;
            let body = Body::wrap_stream(ReaderStream::with_capacity(file, PIECE));
            self.put(kind, digest, bytes, body).await
        })
        .await
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
