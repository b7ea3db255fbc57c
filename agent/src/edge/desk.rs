//! The edge's side of a running job's [`Desk`]: bytes over signed requests, lines into the masked log, steps into the
//! report spool.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::wire::from_agent::{
    LedgerEntry, LedgerPage, ReportContent, StepFinished, StepStarted, WorkingOn,
};
use pointsman_shared::wire::logs::LogSource;
use tracing::Span;

use super::scribe::Scribe;
use crate::artifact::{ArtifactError, Artifacts};
use crate::describe::describe;
use crate::dir::FileError;
use crate::http::RequestError;
use crate::logs::{JobLog, Secrets};
use crate::step::{Desk, Object, TransferError};

/// Longest name of a step in a report, in characters.
const STEP: usize = 200;

/// The desk of one epoch.
pub(super) struct EdgeDesk {
    pub(super) work: WorkingOn,
    pub(super) artifacts: Artifacts,
    pub(super) log: JobLog,
    pub(super) scribe: Scribe,
    pub(super) secrets: Arc<Secrets>,
}

impl EdgeDesk {
    /// A step's name as reports and logs show it: one line, nothing secret, not too long.
    fn name(&self, step: &str) -> String {
        let line = step.split_whitespace().collect::<Vec<_>>().join(" ");
        self.secrets.mask(&line).chars().take(STEP).collect()
    }
}

impl Desk for EdgeDesk {
    async fn fetch(&self, object: Object, into: &Path, limit: u64) -> Result<(), TransferError> {
        let fetched = self
            .artifacts
            .fetch_to(kind(object), object.digest(), limit, into)
            .await;
        fetched.map_err(|error| transfer_error(&error))
    }

    async fn store(&self, object: Object, from: &Path) -> Result<(), TransferError> {
        let size = tokio::fs::metadata(from).await;
        let bytes = size
            .map_err(|error| transfer_error(&FileError::new("look at", from, error).into()))?
            .len();
        let stored = self
            .artifacts
            .store_file(kind(object), object.digest(), bytes, from)
            .await;
        stored.map(drop).map_err(|error| transfer_error(&error))
    }

    fn say(&self, stage: &str, source: LogSource, text: String) {
        self.log.say(&self.name(stage), source, &text);
    }

    fn leave_out(&self, stage: &str, lines: u64, bytes: u64, reason: String) {
        self.log.leave_out(&self.name(stage), lines, bytes, reason);
    }

    fn ledger(&self, phase: MigrationPhase, entries: Vec<LedgerEntry>) {
        // An empty ledger is news, too.
        let pages = entries.len().div_ceil(LedgerPage::SIZE).max(1);
        let page_of = |page: usize| {
            let rest = entries.iter().skip(page * LedgerPage::SIZE);
            LedgerPage {
                job: self.work.job,
                epoch: self.work.epoch,
                phase,
                page: u32::try_from(page).unwrap_or(u32::MAX),
                pages: u32::try_from(pages).unwrap_or(u32::MAX),
                entries: rest.take(LedgerPage::SIZE).cloned().collect(),
            }
        };
        for page in 0..pages {
            self.scribe.report(ReportContent::Ledger(page_of(page)));
        }
    }

    fn span(&self, ordinal: u32, step: &str) -> Span {
        tracing::info_span!("step", ordinal, step = self.name(step))
    }

    fn started(&self, ordinal: u32, step: &str) {
        self.scribe.report(ReportContent::StepStarted(StepStarted {
            job: self.work.job,
            epoch: self.work.epoch,
            ordinal,
            step: self.name(step),
        }));
    }

    fn finished(&self, ordinal: u32, step: &str, took: Duration, ok: bool) {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(ordinal, step = self.name(step), took_ms, ok, "a step ended");
        self.scribe.report(ReportContent::StepFinished(StepFinished {
            job: self.work.job,
            epoch: self.work.epoch,
            ordinal,
            step: self.name(step),
            duration_ms: took_ms,
            ok,
        }));
    }
}

const fn kind(object: Object) -> ObjectKind {
    match object {
        Object::Manifest(_) => ObjectKind::Manifest,
        Object::Archive(_) => ObjectKind::Archive,
        Object::Packing(_) => ObjectKind::Packing,
    }
}

fn transfer_error(error: &ArtifactError) -> TransferError {
    TransferError {
        code: code(error),
        message: describe(error),
    }
}

fn code(error: &ArtifactError) -> &'static str {
    match error {
        ArtifactError::Request(RequestError::Refused { status, .. }) => match status.as_u16() {
            401 | 403 | 409 => "grant_over",
            404 => "object_missing",
            507 => "store_full",
            _ => "store_unreachable",
        },
        ArtifactError::Request(RequestError::Unreachable { .. } | RequestError::Unreadable { .. }) => {
            "store_unreachable"
        }
        ArtifactError::Damaged { .. } => "object_damaged",
        ArtifactError::TooLarge { .. } => "object_too_large",
        ArtifactError::File(error) if error.is_full() => "disk_full",
        ArtifactError::File(_) => "file_error",
        ArtifactError::Stopped(_) => "stopped",
    }
}
