//! What an agent tells the coordinators.
//!
//! Claims, heartbeats and hellos are asked again until answered and are idempotent by their own keys; reports
//! ([`Report`]) are numbered in a spool and repeated until acknowledged.

use serde::{Deserialize, Serialize};

use super::{Nonce, UnixMillis};
use crate::digest::Digest;
use crate::ids::{Epoch, Generation, InstanceId, JobId, PlacementId, SpoolId, StreamId};
use crate::name::{HostId, ReleaseFolder, RootPath, SlotName};
use crate::outcome::{JobKind, Outcome};

/// A message from an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    /// I am here.
    Hello(Hello),
    /// What lies in one root.
    PlacementState(PlacementState),
    /// I want this job.
    Claim(Claim),
    /// I do not take this offer.
    Declined(Declined),
    /// A slot became free.
    SlotFree(SlotFree),
    /// The grant came too late; nothing was begun.
    NotBegun(NotBegun),
    /// I am alive and work on these.
    Heartbeat(Heartbeat),
    /// A numbered report.
    Report(Report),
}

/// Which topic key a message travels under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportKey {
    /// claim, declined, slot_free, not_begun
    Claim,
    /// hello, placement_state
    State,
    /// steps
    Progress,
    /// heartbeat
    Heartbeat,
    /// results
    Result,
    /// faults
    Fault,
}

impl ReportKey {
    /// Every key.
    pub const ALL: [Self; 6] = [
        Self::Claim,
        Self::State,
        Self::Progress,
        Self::Heartbeat,
        Self::Result,
        Self::Fault,
    ];

    /// The key's last part.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::State => "state",
            Self::Progress => "progress",
            Self::Heartbeat => "heartbeat",
            Self::Result => "result",
            Self::Fault => "fault",
        }
    }
}

impl FromAgent {
    /// The topic key this message travels under.
    pub const fn key(&self) -> ReportKey {
        match self {
            Self::Hello(_) | Self::PlacementState(_) => ReportKey::State,
            Self::Claim(_) | Self::Declined(_) | Self::SlotFree(_) | Self::NotBegun(_) => ReportKey::Claim,
            Self::Heartbeat(_) => ReportKey::Heartbeat,
            Self::Report(report) => match report.content {
                ReportContent::StepStarted(_) | ReportContent::StepFinished(_) => ReportKey::Progress,
                ReportContent::Result(_) => ReportKey::Result,
                ReportContent::Fault(_) => ReportKey::Fault,
            },
        }
    }

    /// The host that says it; must equal the host of the signing key.
    pub const fn host(&self) -> &HostId {
        match self {
            Self::Hello(m) => &m.host,
            Self::PlacementState(m) => &m.host,
            Self::Claim(m) => &m.host,
            Self::Declined(m) => &m.host,
            Self::SlotFree(m) => &m.host,
            Self::NotBegun(m) => &m.host,
            Self::Heartbeat(m) => &m.host,
            Self::Report(m) => &m.host,
        }
    }
}

/// The first word of an instance, repeated until `welcome`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// This process.
    pub instance: InstanceId,
    /// The instance before it, from the state folder.
    pub previous: Option<InstanceId>,
    /// Ties the welcome to this hello.
    pub nonce: Nonce,
    /// The kernel's boot id.
    pub boot_id: String,
    /// Software version.
    pub software: String,
    /// Wire versions it reads.
    pub wire: Vec<u16>,
    /// Facts for display: operating system, cores, memory, disk.
    pub facts: std::collections::BTreeMap<String, String>,
    /// How many jobs of each kind it runs at once.
    pub slots: Vec<SlotCount>,
    /// Epochs this very instance works on (a hello may be repeated).
    pub working: Vec<WorkingOn>,
    /// Processes of jobs of earlier instances that refused to end, with the placement they keep closed.
    pub processes: Vec<SurvivingProcess>,
    /// SHA-256 over all placement states, as in heartbeats.
    pub state_digest: Digest,
    /// How many `placement_state` messages follow.
    pub placements: u32,
    /// The agent's clock.
    pub at: UnixMillis,
}

/// How many jobs of a kind run at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotCount {
    /// The kind.
    pub kind: JobKind,
    /// At once.
    pub count: u32,
}

/// An epoch an agent works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingOn {
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
}

/// A process group that refused to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurvivingProcess {
    /// Process group.
    pub group: i32,
    /// The placement it keeps closed.
    pub placement: Option<PlacementId>,
    /// Its command, for people.
    pub command: String,
}

/// What lies in one root, as far as the host can tell; long lists are paged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacementState {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// Nonce of the hello it belongs to.
    pub nonce: Nonce,
    /// The placement.
    pub placement: PlacementId,
    /// Its root.
    pub root: RootPath,
    /// Each slot's fence and link.
    pub slots: Vec<SlotState>,
    /// Complete releases in the root, sorted.
    pub releases: Vec<ReleaseFolder>,
    /// Number of this page, from 0.
    pub page: u32,
    /// How many pages there are.
    pub pages: u32,
    /// What is wrong with the root, for people.
    pub problem: Option<String>,
    /// Free bytes on the root's filesystem.
    pub free_bytes: u64,
    /// The agent's clock.
    pub at: UnixMillis,
}

/// One slot of a root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotState {
    /// The slot.
    pub slot: SlotName,
    /// Its fence.
    pub fence: FenceState,
    /// The release its link names, read back; none when there is no link.
    pub current: Option<ReleaseFolder>,
    /// The link's raw text when it names no release.
    pub foreign: Option<String>,
}

/// A fence as the host found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FenceState {
    /// There is none: nothing is executed before an `adopt`.
    Missing,
    /// It cannot be read: nothing is executed before an `adopt`.
    Damaged,
    /// It stands.
    Standing {
        /// The decision it last accepted.
        generation: Generation,
        /// The job of that decision; none after an `adopt`.
        job: Option<JobId>,
        /// The epoch of that job.
        epoch: Epoch,
        /// The release it wanted; none after an `adopt`.
        to: Option<ReleaseFolder>,
        /// Whether the switch was finished.
        done: bool,
    },
}

/// Wish for a job that was offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// The offered epoch.
    pub epoch: Epoch,
    /// SHA-256 of the body it read.
    pub digest: Digest,
    /// Ties the grant to this claim.
    pub nonce: Nonce,
    /// The agent's clock.
    pub at: UnixMillis,
}

/// Why an offer was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case", deny_unknown_fields)]
pub enum DeclineReason {
    /// No free slot of its kind; `slot_free` follows.
    Busy,
    /// The host's own policy file forbids it.
    Policy {
        /// Rule and remedy, for people.
        message: String,
    },
    /// The placement is closed until an `adopt`, or by a surviving process.
    Closed {
        /// What closes it.
        message: String,
    },
    /// The agent is draining.
    Draining,
    /// The body cannot be read by this version.
    Unreadable {
        /// What was wrong.
        message: String,
    },
}

/// An offer was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declined {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// The offered epoch.
    pub epoch: Epoch,
    /// Why.
    pub reason: DeclineReason,
}

/// A slot of a kind that had declined became free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotFree {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The kind.
    pub kind: JobKind,
}

/// A grant arrived too late; nothing was begun and the epoch is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotBegun {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// The granted epoch.
    pub epoch: Epoch,
    /// Why, for people.
    pub reason: String,
}

/// One message per agent and beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// Number of this beat, rising per instance.
    pub beat: u64,
    /// The epochs to renew.
    pub working: Vec<WorkingOn>,
    /// SHA-256 over all placement states.
    pub state_digest: Digest,
    /// Free bytes of the fullest root's filesystem.
    pub free_bytes: u64,
    /// The agent's clock.
    pub at: UnixMillis,
}

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
