//! Numbered reports: steps, results and faults, repeated from a spool until they are acknowledged.

use serde::{Deserialize, Serialize};

use super::super::UnixMillis;
use crate::digest::Digest;
use crate::ids::{Epoch, InstanceId, JobId, PlacementId, SpoolId, StreamId};
use crate::migration::{MigrationName, MigrationPhase, MigrationState};
use crate::name::HostId;
use crate::outcome::Outcome;

/// A numbered report of a spool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance that made it.
    pub instance: InstanceId,
    /// The spool folder; random per folder.
    pub spool: SpoolId,
    /// Number in the spool, from 1 without gaps.
    pub seq: u64,
    /// The agent's clock.
    pub at: UnixMillis,
    /// What is reported.
    pub content: ReportContent,
}

/// What a report says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum ReportContent {
    /// A step began.
    StepStarted(StepStarted),
    /// A step ended.
    StepFinished(StepFinished),
    /// The job ended.
    Result(JobResult),
    /// Something is wrong that belongs to no job.
    Fault(Fault),
    /// What the ledger of a project's migrations says.
    Ledger(LedgerPage),
}

/// A step began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepStarted {
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
    /// Place in the plan, from 0.
    pub ordinal: u32,
    /// Name for people and logs, such as `checkout` or `npm ci`.
    pub step: String,
}

/// A step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFinished {
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
    /// Place in the plan, from 0.
    pub ordinal: u32,
    /// Name for people and logs.
    pub step: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Whether it did what it should.
    pub ok: bool,
}

/// The job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobResult {
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
    /// How.
    pub outcome: Outcome,
    /// The log, when one was written: pages say `n of m` until it is whole.
    pub log: Option<LogTotal>,
}

/// How much log an epoch wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogTotal {
    /// The stream.
    pub stream: StreamId,
    /// Number of the last chunk.
    pub last_seq: u64,
    /// Lines written.
    pub lines: u64,
}

/// A page of a ledger, read at the end of a `migrate` job and before its result: under the ledger's lock and by name, or
/// as a project's own tool lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerPage {
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
    /// Which phase it is about.
    pub phase: MigrationPhase,
    /// Number of this page, from 0.
    pub page: u32,
    /// Number of pages.
    pub pages: u32,
    /// The release's own migrations, and what was applied without it.
    pub entries: Vec<LedgerEntry>,
}

impl LedgerPage {
    /// Entries of a full page: a message has 64 KiB, a name at most 200 bytes.
    pub const SIZE: usize = 150;
}

/// A migration as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// Its name.
    pub name: MigrationName,
    /// SHA-256 of the script; none where the project's own tool keeps the record.
    pub checksum: Option<Digest>,
    /// Where it stands.
    pub state: MigrationState,
    /// Whether the job's release has it.
    pub own: bool,
}

/// Something is wrong on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The placement it concerns.
    pub placement: Option<PlacementId>,
    /// A stable code such as `current_repaired`, `message_refused`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Fault {
    /// Code of an agent's last word: it was asked to end, and nothing runs any more.
    pub const STOPPING: &str = "stopping";
}
