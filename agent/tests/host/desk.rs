//! The other side of a job in these tests: a folder as the artifact store, and a memory of everything that was said.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use pointsman_agent::step::{Desk, Object, TransferError};
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::wire::from_agent::LedgerEntry;
use pointsman_shared::wire::logs::LogSource;

/// A store in a folder.
#[derive(Debug)]
pub struct FolderDesk {
    objects: PathBuf,
    /// Every line, as `stage: text`.
    pub lines: Mutex<Vec<String>>,
    /// Every finished step.
    pub steps: Mutex<Vec<(String, bool)>>,
    /// Every ledger that was told.
    pub ledgers: Mutex<Vec<(MigrationPhase, Vec<LedgerEntry>)>>,
}

impl FolderDesk {
    pub fn new(objects: PathBuf) -> Self {
        fs_err::create_dir_all(&objects).unwrap();
        Self {
            objects,
            lines: Mutex::default(),
            steps: Mutex::default(),
            ledgers: Mutex::default(),
        }
    }

    pub fn path(&self, object: Object) -> PathBuf {
        self.objects
            .join(format!("{}-{}", object.word(), object.digest()))
    }

    /// Everything that was said, line by line.
    pub fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}

impl Desk for FolderDesk {
    async fn fetch(&self, object: Object, into: &Path, _limit: u64) -> Result<(), TransferError> {
        let copied = fs_err::copy(self.path(object), into);
        copied.map(drop).map_err(|error| TransferError {
            code: "object_missing",
            message: error.to_string(),
        })
    }

    async fn store(&self, object: Object, from: &Path) -> Result<(), TransferError> {
        let copied = fs_err::copy(from, self.path(object));
        copied.map(drop).map_err(|error| TransferError {
            code: "store_unreachable",
            message: error.to_string(),
        })
    }

    fn say(&self, stage: &str, _source: LogSource, text: String) {
        self.lines.lock().unwrap().push(format!("{stage}: {text}"));
    }

    fn leave_out(&self, stage: &str, lines: u64, _bytes: u64, _reason: String) {
        self.lines
            .lock()
            .unwrap()
            .push(format!("{stage}: {lines} lines left out"));
    }

    fn ledger(&self, phase: MigrationPhase, entries: Vec<LedgerEntry>) {
        let mut ledgers = self.ledgers.lock().unwrap();
        ledgers.push((phase, entries));
    }

    fn started(&self, _ordinal: u32, _step: &str) {}

    fn finished(&self, _ordinal: u32, step: &str, _took: Duration, ok: bool) {
        self.steps.lock().unwrap().push((step.to_owned(), ok));
    }
}
