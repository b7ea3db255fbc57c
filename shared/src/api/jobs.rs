//! Jobs, their steps and logs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{JobId, StreamId};
use crate::name::{HostId, ProjectName, ReleaseLabel, TargetName};
use crate::outcome::JobKind;
use crate::wire::logs::LogSource;

/// A message that was refused: nothing was done of what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeadLetter {
    /// Its number.
    pub number: i64,
    /// When it came.
    pub at: DateTime<Utc>,
    /// The queue it came from.
    pub queue: String,
    /// Why it was refused: a stable code.
    pub reason: String,
    /// The host its routing key names; not proven.
    pub host: Option<String>,
    /// Its size.
    pub bytes: i32,
    /// Its first characters, without what may be a secret.
    pub sample: String,
}

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Not offered yet.
    Queued,
    /// Offered to its agents.
    Offered,
    /// An agent works on it.
    Running,
    /// Its host is absent.
    Deferred,
    /// Nobody knows whether its effect happened.
    Indeterminate,
    /// Done.
    Succeeded,
    /// Failed.
    Failed,
    /// Cancelled without effect.
    Cancelled,
    /// A newer job took its place.
    Superseded,
    /// Cancelled after the host was lost past its point of no return.
    Abandoned,
}

impl JobState {
    /// The name used in the database and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Offered => "offered",
            Self::Running => "running",
            Self::Deferred => "deferred",
            Self::Indeterminate => "indeterminate",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether the job is over.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Offered | Self::Running | Self::Deferred | Self::Indeterminate => false,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Superseded | Self::Abandoned => true,
        }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its number for people.
    pub number: i64,
    /// Its kind.
    pub kind: JobKind,
    /// Its state.
    pub state: JobState,
    /// Its project.
    pub project: ProjectName,
    /// Its target.
    pub target: Option<TargetName>,
    /// Its release.
    pub release: Option<ReleaseLabel>,
    /// Number of its deployment.
    pub deployment: Option<i64>,
    /// The host it is for, or that works on it.
    pub host: Option<HostId>,
    /// Attempts so far.
    pub epoch: u32,
    /// Why it waits, failed or was cancelled, for people.
    pub reason: Option<String>,
    /// Stable code of the failure.
    pub code: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its newest attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its steps; empty in lists.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// A step of a job's attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// The attempt.
    pub epoch: u32,
    /// Place in the plan, from 0.
    pub ordinal: u32,
    /// Its name.
    pub name: String,
    /// `running`, `ok` or `failed`.
    pub state: String,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
}

/// `GET /api/v1/jobs/{number}/log?after=<line>&epoch=<n>&limit=<n>`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// The stream.
    pub stream: StreamId,
    /// The attempt.
    pub epoch: u32,
    /// Lines in order.
    pub lines: Vec<NumberedLine>,
    /// Lines the agent wrote in all, once its result is known.
    pub total: Option<u64>,
    /// Whether nothing more will come: the job is over and every line is here.
    pub complete: bool,
}

/// A line with its number, or a note about missing ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NumberedLine {
    /// Its number, from 1.
    pub line: u64,
    /// When the agent read it.
    pub at: DateTime<Utc>,
    /// The step.
    pub stage: String,
    /// Where it came from.
    pub source: LogSource,
    /// The text, or for a gap what is missing and why.
    pub text: String,
    /// How many lines are missing from here; 0 for a line.
    #[serde(default)]
    pub gap: u64,
}
