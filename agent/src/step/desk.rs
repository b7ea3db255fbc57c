//! What the broker edge does for a running job: bytes in and out, log lines, progress. The worker asks, the edge acts.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use pointsman_shared::digest::Digest;
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::wire::from_agent::LedgerEntry;
use pointsman_shared::wire::logs::LogSource;
use tracing::Span;

/// A content-addressed object of the artifact store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// `manifests/<digest>`
    Manifest(Digest),
    /// `archives/<digest>`
    Archive(Digest),
    /// `packings/<digest>`
    Packing(Digest),
}

impl Object {
    /// Its digest.
    pub const fn digest(self) -> Digest {
        match self {
            Self::Manifest(digest) | Self::Archive(digest) | Self::Packing(digest) => digest,
        }
    }

    /// What it is, for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Manifest(_) => "manifest",
            Self::Archive(_) => "archive",
            Self::Packing(_) => "packing",
        }
    }
}

/// Bytes that did not travel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransferError {
    /// A stable code such as `store_unreachable`, `object_missing`, `disk_full`, `grant_over`.
    pub code: &'static str,
    /// What, where, why and what to do.
    pub message: String,
}

/// What a worker may ask of the edge. Saying something never waits.
pub trait Desk: Send + Sync {
    /// Fetches an object into the new file `into`, at most `limit` bytes. It may leave the digest to the caller.
    fn fetch(
        &self,
        object: Object,
        into: &Path,
        limit: u64,
    ) -> impl Future<Output = Result<(), TransferError>> + Send;

    /// Sends the file `from` as an object; one that is there already is fine.
    fn store(&self, object: Object, from: &Path) -> impl Future<Output = Result<(), TransferError>> + Send;

    /// Writes a line to the job's log.
    fn say(&self, stage: &str, source: LogSource, text: String);

    /// Writes to the job's log that lines are missing.
    fn leave_out(&self, stage: &str, lines: u64, bytes: u64, reason: String);

    /// Reports what a ledger of migrations says.
    fn ledger(&self, phase: MigrationPhase, entries: Vec<LedgerEntry>);

    /// The span of a step, for traces; none of its own where nobody traces.
    fn span(&self, _ordinal: u32, _step: &str) -> Span {
        Span::none()
    }

    /// Reports that a step began.
    fn started(&self, ordinal: u32, step: &str);

    /// Reports that a step ended.
    fn finished(&self, ordinal: u32, step: &str, took: Duration, ok: bool);
}
