//! What can go wrong around a fleet, told so that the reader knows where to look next.
//!
//! One enum for the crate: callers never decide on these, they show them. This module refuses to hide a cause: each
//! variant keeps its source or the last lines of the log that explain it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the sandbox itself, not of the system that runs inside it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation of the operating system failed.
    #[error("{what}")]
    Io {
        /// What was tried, with its path or address.
        what: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A program that the sandbox needs is not installed or not built.
    #[error("{program} was not found (looked in {looked}); {remedy}")]
    Missing {
        /// Name of the program.
        program: String,
        /// Where it was looked for.
        looked: String,
        /// What to do.
        remedy: String,
    },
    /// The unprivileged user could not enter the folder.
    #[error(
        "{dir} cannot be used: user {user} may not enter {ancestor}; choose a folder below /tmp or /var/tmp, or allow it with `chmod o+x {ancestor}`",
        dir = dir.display(), ancestor = ancestor.display()
    )]
    Unreachable {
        /// The wanted folder.
        dir: PathBuf,
        /// The first folder on the way that is closed.
        ancestor: PathBuf,
        /// Who has to enter.
        user: String,
    },
    /// Somebody else's files, or another sandbox, stand in the folder.
    #[error("{dir} cannot be used: {why}", dir = dir.display())]
    Taken {
        /// The wanted folder.
        dir: PathBuf,
        /// What stands there and what to do.
        why: String,
    },
    /// A process did not come up in time.
    #[error("{name} was not ready after {waited:?}{tail}", tail = tail_text(log, tail))]
    NotReady {
        /// Name of the process.
        name: String,
        /// How long it was waited for.
        waited: Duration,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A process ended that should run.
    #[error("{name} ended ({exit}){tail}", tail = tail_text(log, tail))]
    Ended {
        /// Name of the process.
        name: String,
        /// How it ended, in words.
        exit: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A helper command said no.
    #[error("`{command}` failed ({exit}): {stderr}")]
    Command {
        /// The command line.
        command: String,
        /// How it ended, in words.
        exit: String,
        /// What it printed on stderr.
        stderr: String,
    },
    /// The process that keeps the children is gone or refused.
    #[error("the sandbox's keeper process refused: {0}")]
    Keeper(String),
    /// A request over HTTP got no answer.
    #[error("no answer from {url}")]
    Http {
        /// The address without credentials.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// A request over HTTP was answered with a refusal.
    #[error("{url} answered {status}: {body}")]
    Refused {
        /// The address without credentials.
        url: String,
        /// The HTTP status code.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// A condition of the fleet did not come true in time.
    #[error("waited {waited:?} in vain until {until}; last seen: {seen}")]
    InVain {
        /// The condition in words.
        until: String,
        /// How long it was waited for.
        waited: Duration,
        /// What was seen last.
        seen: String,
    },
    /// Something answered in a way that makes no sense.
    #[error("{0}")]
    Unexpected(String),
}

fn tail_text(log: &Path, tail: &str) -> String {
    if tail.trim().is_empty() {
        return format!("; its log {} is empty", log.display());
    }
    format!("; the end of {}:\n{}", log.display(), tail.trim_end())
}

impl Error {
    /// An IO error with the sentence that says what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// The whole chain of causes in one line, for people.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl From<io::Error> for Error {
    /// For errors that already name their path (`fs_err`).
    fn from(source: io::Error) -> Self {
        Self::Io {
            what: "a file operation failed".to_owned(),
            source,
        }
    }
}

/// The last lines of a log file, for error messages; empty when it cannot be read.
pub(crate) fn log_tail(log: &Path) -> String {
    const LINES: usize = 15;
    let Ok(text) = fs_err::read(log) else {
        return String::new();
    };
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
