//! Objects of the store, to a file: never more bytes than announced, believed only for their digest.
//!
//! An interrupted transfer goes on where it stopped, as far as the coordinator lets it.

use std::path::Path;

use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::digest::Digest;
use reqwest::{Method, Response, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::Artifacts;
use super::retry::{ArtifactError, Tries};
use crate::crash_point;
use crate::dir::FileError;

impl Artifacts {
    /// An object of at most `cap` bytes, streamed to a new file at `to`. The file's contents are synced; a failure leaves
    /// it for the caller to throw away.
    pub async fn fetch_to(
        &self,
        kind: ObjectKind,
        digest: Digest,
        cap: u64,
        to: &Path,
    ) -> Result<(), ArtifactError> {
        let mut transfer = Transfer {
            file: tokio::fs::File::create_new(to)
                .await
                .map_err(|error| FileError::new("create", to, error))?,
            path: to,
            what: format!("{}/{digest}", kind.as_str()),
            hasher: Sha256::new(),
            done: 0,
            cap,
        };
        let mut tries = Tries::new(&self.lease);
        while let Err(error) = tries.run(self.go_on(&mut transfer, kind, digest)).await {
            tries.again(error).await?;
        }
        let synced = transfer.file.sync_all().await;
        Ok(synced.map_err(|error| FileError::new("write", to, error))?)
    }

    async fn go_on(
        &self,
        transfer: &mut Transfer<'_>,
        kind: ObjectKind,
        digest: Digest,
    ) -> Result<(), ArtifactError> {
        let mut request = self.signed(Method::GET, &kind.path(&digest), Digest::of(b""));
        if transfer.done > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", transfer.done));
        }
        let mut response = self.coordinator.send(request).await?;
        if !continues_at(&response, transfer.done) {
            transfer.restart().await?;
        }
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.coordinator.unreachable(error))?
        {
            transfer.take(&piece).await?;
            crash_point!(C8);
        }
        let found = Digest::from_bytes(transfer.hasher.clone().finalize().into());
        if found == digest {
            return Ok(());
        }
        transfer.restart().await?;
        Err(ArtifactError::Damaged {
            what: format!("{}/{digest}", kind.as_str()),
            found,
            wanted: digest,
        })
    }
}

/// Whether an answer goes on at byte `done` of the object.
fn continues_at(response: &Response, done: u64) -> bool {
    if done == 0 {
        return true;
    }
    let range = response.headers().get(header::CONTENT_RANGE);
    response.status() == StatusCode::PARTIAL_CONTENT
        && range
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with(&format!("bytes {done}-")))
}

/// An object on its way into a file.
struct Transfer<'a> {
    file: tokio::fs::File,
    path: &'a Path,
    what: String,
    hasher: Sha256,
    done: u64,
    cap: u64,
}

impl Transfer<'_> {
    async fn take(&mut self, piece: &[u8]) -> Result<(), ArtifactError> {
        self.done += piece.len() as u64;
        if self.done > self.cap {
            return Err(ArtifactError::TooLarge {
                what: self.what.clone(),
                cap: self.cap,
            });
        }
        self.hasher.update(piece);
        let written = self.file.write_all(piece).await;
        Ok(written.map_err(|error| FileError::new("write", self.path, error))?)
    }

    /// Forgets what came so far.
    async fn restart(&mut self) -> Result<(), ArtifactError> {
        self.hasher = Sha256::new();
        self.done = 0;
        let failed = |error| FileError::new("rewind", self.path, error);
        self.file.set_len(0).await.map_err(failed)?;
        self.file.rewind().await.map_err(failed)?;
        Ok(())
    }
}
