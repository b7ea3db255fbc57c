//! What sandbox and keeper say to each other: one JSON object per line, in both directions.
//!
//! Both sides are always the same build, so there is no version here and no room for unknown fields.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A process as the sandbox wants it started.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Name for people; also names the log file.
    pub name: String,
    /// The program with its arguments.
    pub argv: Vec<OsString>,
    /// The whole environment; nothing is inherited.
    pub env: Vec<(String, OsString)>,
    /// Working directory.
    pub cwd: PathBuf,
    /// Where stderr (and stdout) is appended.
    pub log: PathBuf,
    /// Where stdout goes instead, overwritten.
    pub stdout: Option<PathBuf>,
    /// The signal that ends it together with its sandbox, even when the keeper was killed: nothing in DIR matters any
    /// more, so it is KILL for all that leave nothing outside DIR when killed.
    pub last: Sign,
}

/// The signals a sandbox sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Please end.
    Term,
    /// Please end (PostgreSQL: without waiting for clients).
    Int,
    /// Please end (PostgreSQL: without a checkpoint).
    Quit,
    /// End now.
    Kill,
    /// Freeze.
    Stop,
    /// Thaw.
    Cont,
}

impl Sign {
    pub(super) const fn number(self) -> rustix::process::Signal {
        use rustix::process::Signal;
        match self {
            Self::Term => Signal::TERM,
            Self::Int => Signal::INT,
            Self::Quit => Signal::QUIT,
            Self::Kill => Signal::KILL,
            Self::Stop => Signal::STOP,
            Self::Cont => Signal::CONT,
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// The keeper is gone, and the process with it.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("its keeper is gone"),
        }
    }
}

/// From the sandbox. `id` is the sandbox's own number for a process; it is never used twice.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    Spawn { id: u64, spec: Spec },
    Signal { id: u64, sign: Sign },
}

/// From the keeper.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// The keeper holds the folder and takes orders.
    Ready,
    /// The keeper cannot start, and why.
    Refused(String),
    Spawned {
        id: u64,
        pid: i32,
    },
    NotSpawned {
        id: u64,
        why: String,
    },
    /// Sent once for every process that was spawned.
    Exited {
        id: u64,
        exit: Exit,
    },
}
