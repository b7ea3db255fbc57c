//! The report spool: numbered files, durable before anybody relies on them, gone when acknowledged.
//!
//! A coordinator knows a spool by its random id and expects its numbers without a gap, so the highest acknowledged
//! number is durable before a file is removed: a number is never used twice. One mebibyte is kept preallocated, so that
//! results can be written when the disk is full.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pointsman_shared::ids::{InstanceId, SpoolId};
use pointsman_shared::wire::from_agent::ReportContent;
use pointsman_shared::wire::{TraceParent, UnixMillis};
use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, openat};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::dir::{Dir, FileError};

const ID: &str = "id";
const ACKNOWLEDGED: &str = "acknowledged";
const RESERVE: &str = "reserve";
/// Bytes kept for the day the disk is full.
const RESERVE_BYTES: u64 = 1024 * 1024;

/// A spool that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// A file in it is not what we wrote.
    #[error(
        "{path} is damaged: {reason}; move the spool folder aside: its unsent reports are lost, no release is"
    )]
    Damaged {
        /// Which file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A report as it lies in the spool; it is signed when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredReport {
    /// The instance that made it.
    pub instance: InstanceId,
    /// When, by the agent's clock.
    pub at: UnixMillis,
    /// What it says.
    pub content: ReportContent,
    /// The trace of the job it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
}

#[derive(Debug)]
struct State {
    reports: BTreeMap<u64, StoredReport>,
    last: u64,
    acknowledged: u64,
    reserve: bool,
}

/// The open spool. Its methods touch the disk: call them where blocking is allowed.
#[derive(Debug)]
pub struct ReportSpool {
    dir: Dir,
    id: SpoolId,
    inherited: u64,
    state: Mutex<State>,
    news: watch::Sender<u64>,
}

impl ReportSpool {
    /// Opens the spool in `state/spool/reports`, making it with id `fresh` when it is new.
    pub fn open(state: &Dir, fresh: SpoolId) -> Result<Self, SpoolError> {
        let dir = state
            .make_dir("spool", Mode::RWXU)?
            .make_dir("reports", Mode::RWXU)?;
        let id = match text(&dir, ID)? {
            Some(text) => parse(&dir, ID, &text)?,
            None if is_new(&dir)? => {
                dir.replace(ID, format!("{fresh}\n").as_bytes())?;
                fresh
            }
            None => return Err(damaged(&dir, ID, "it is missing")),
        };
        let acknowledged = match text(&dir, ACKNOWLEDGED)? {
            Some(text) => parse(&dir, ACKNOWLEDGED, &text)?,
            None => 0,
        };
        let mut state = State {
            reports: BTreeMap::new(),
            last: acknowledged,
            acknowledged,
            reserve: false,
        };
        for name in dir.names()? {
            let Ok(seq) = name.parse::<u64>() else { continue };
            if seq <= acknowledged {
                dir.remove_file(&name)?;
                continue;
            }
            let bytes = dir.read(&name)?.unwrap_or_default();
            let report = serde_json::from_slice(&bytes).map_err(|e| damaged(&dir, &name, &e.to_string()))?;
            state.last = state.last.max(seq);
            state.reports.insert(seq, report);
        }
        state.reserve = reserve(&dir);
        let (news, _) = watch::channel(state.last);
        Ok(Self {
            dir,
            id,
            inherited: state.last,
            state: Mutex::new(state),
            news,
        })
    }

    /// The spool's id.
    pub const fn id(&self) -> SpoolId {
        self.id
    }

    /// The highest number that an earlier agent used.
    pub const fn inherited(&self) -> u64 {
        self.inherited
    }

    /// Keeps a report durably; answers with its number.
    pub fn append(&self, report: StoredReport) -> Result<u64, SpoolError> {
        let mut state = self.lock();
        let seq = state.last + 1;
        let name = file_name(seq);
        let bytes = serde_json::to_vec(&report).map_err(|e| damaged(&self.dir, &name, &e.to_string()))?;
        match self.dir.replace(&name, &bytes) {
            Ok(()) => {}
            Err(error) if error.is_full() && state.reserve => {
                tracing::warn!("the disk is full; the report is written into the reserve");
                self.dir.remove_file(RESERVE)?;
                state.reserve = false;
                self.dir.replace(&name, &bytes)?;
            }
            Err(error) => return Err(error.into()),
        }
        state.last = seq;
        state.reports.insert(seq, report);
        self.news.send_replace(seq);
        Ok(seq)
    }

    /// The first report after `seq` that is not acknowledged.
    pub fn after(&self, seq: u64) -> Option<(u64, StoredReport)> {
        let state = self.lock();
        state
            .reports
            .range(seq + 1..)
            .next()
            .map(|(seq, report)| (*seq, report.clone()))
    }

    /// Forgets everything up to `upto`, if the acknowledgement is for this spool and for numbers that were used.
    pub fn acknowledge(&self, spool: SpoolId, upto: u64) -> Result<(), SpoolError> {
        let mut state = self.lock();
        if spool != self.id || upto > state.last || upto <= state.acknowledged {
            return Ok(());
        }
        let written = self.dir.replace(ACKNOWLEDGED, format!("{upto}\n").as_bytes());
        if let Err(error) = written {
            // It comes again with the next acknowledgement; a full disk must not end the agent.
            tracing::warn!(%error, "an acknowledgement could not be kept");
            return Ok(());
        }
        state.acknowledged = upto;
        let kept = state.reports.split_off(&(upto + 1));
        for seq in std::mem::replace(&mut state.reports, kept).into_keys() {
            self.dir.remove_file(&file_name(seq))?;
        }
        if !state.reserve {
            state.reserve = reserve(&self.dir);
        }
        Ok(())
    }

    /// Highest acknowledged number.
    pub fn acknowledged(&self) -> u64 {
        self.lock().acknowledged
    }

    /// How many reports wait.
    pub fn waiting(&self) -> usize {
        self.lock().reports.len()
    }

    /// Tells the highest number whenever it rises.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// The maps are changed after the disk, so a writer that panicked left them behind it at worst.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file_name(seq: u64) -> String {
    format!("{seq:020}")
}

fn is_new(dir: &Dir) -> Result<bool, FileError> {
    let names = dir.names()?;
    Ok(names.iter().all(|name| name.starts_with('.') || name == RESERVE))
}

fn text(dir: &Dir, name: &str) -> Result<Option<String>, FileError> {
    let bytes = dir.read(name)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()))
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
    dir: &Dir,
    name: &str,
    text: &str,
) -> Result<T, SpoolError> {
    text.parse()
        .map_err(|error: T::Err| damaged(dir, name, &error.to_string()))
}

fn damaged(dir: &Dir, name: &str, reason: &str) -> SpoolError {
    SpoolError::Damaged {
        path: dir.path().join(name).display().to_string(),
        reason: reason.to_owned(),
    }
}

/// Sets the reserve aside; says whether it stands.
fn reserve(dir: &Dir) -> bool {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = openat(dir, RESERVE, flags, Mode::RUSR | Mode::WUSR)
        .and_then(|file| fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES));
    if let Err(error) = made {
        tracing::warn!(%error, "no reserve for reports on a full disk");
        drop(dir.remove_file(RESERVE));
        return false;
    }
    true
}

#[cfg(test)]
#[path = "reports_tests.rs"]
mod tests;
