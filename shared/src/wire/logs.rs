//! Log chunks: numbered, signed by nobody's grant but the agent's key, never lost silently.
//!
//! A chunk carries whole lines that the agent numbered; a gap says which lines are missing and why.

use serde::{Deserialize, Serialize};

use super::UnixMillis;
use crate::ids::{Epoch, StreamId};
use crate::name::HostId;

/// A piece of a log stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogChunk {
    /// Wire version.
    pub v: u16,
    /// The host that wrote it.
    pub host: HostId,
    /// The stream.
    pub stream: StreamId,
    /// The epoch of the job that wrote it.
    pub epoch: Epoch,
    /// Number of the chunk in (stream, epoch), from 1.
    pub seq: u64,
    /// The step it belongs to.
    pub stage: String,
    /// Number of its first line in (stream, epoch), from 1.
    pub first_line: u64,
    /// Byte offset of its first line in (stream, epoch).
    pub offset: u64,
    /// Lines or a gap.
    pub content: LogContent,
}

/// What a chunk holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LogContent {
    /// Whole lines.
    Lines(Vec<LogLine>),
    /// Lines that are missing.
    Gap {
        /// How many lines.
        lines: u64,
        /// How many bytes.
        bytes: u64,
        /// Why, for people.
        reason: String,
    },
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogLine {
    /// When it was read, by the agent's clock.
    pub at: UnixMillis,
    /// Where it came from.
    pub source: LogSource,
    /// The text without its newline; invalid UTF-8 replaced, secrets masked.
    pub text: String,
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LogSource {
    /// The child's standard output.
    Out,
    /// The child's standard error.
    Err,
    /// The agent itself.
    Agent,
}
