//! What an agent tells the coordinators.
//!
//! Claims, heartbeats and hellos are asked again until answered and are idempotent by their own keys; reports
//! ([`Report`]) are numbered in a spool and repeated until acknowledged.

mod offers;
mod report;
mod state;

use serde::{Deserialize, Serialize};

pub use offers::{Claim, DeclineReason, Declined, NotBegun, SlotFree};
pub use report::{
    Fault, JobResult, LedgerEntry, LedgerPage, LogTotal, Report, ReportContent, StepFinished, StepStarted,
};
pub use state::{
    DISK_FACT, FenceState, Heartbeat, Hello, PlacementState, SlotCount, SlotState, SurvivingProcess,
    WorkingOn,
};

use crate::name::HostId;

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
    /// Claims and what becomes of offers: `claim`, `declined`, `slot_free`, `not_begun`.
    Claim,
    /// `hello` and `placement_state`.
    State,
    /// Steps.
    Progress,
    /// Heartbeats.
    Heartbeat,
    /// Results.
    Result,
    /// Faults.
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
                ReportContent::StepStarted(_) | ReportContent::StepFinished(_) | ReportContent::Ledger(_) => {
                    ReportKey::Progress
                }
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
