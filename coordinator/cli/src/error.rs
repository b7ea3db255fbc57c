//! What can go wrong, said three times over: what (`error:`), why (`cause:`) and what to do (`help:`).
//!
//! Every variant knows its exit code. The words of a refusal are the coordinator's own; nothing is guessed here that
//! the server knows better.

use std::error::Error as _;
use std::time::Duration;

use pointsman_shared::api::Problem;
use pointsman_shared::certificate;
use url::Url;

use crate::config::ConfigError;
use crate::exit::Exit;
use crate::text;

/// Why the command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The coordinator said no.
    #[error("{}", .0.title)]
    Problem(Box<Problem>),
    /// Nobody said which coordinator.
    #[error("no coordinator is named")]
    NoCoordinator,
    /// There is no token for it.
    #[error("not logged in to {}", text::address(.0))]
    NotLoggedIn(Url),
    /// No connection, or it broke.
    #[error("cannot reach the coordinator at {}", text::address(url))]
    Unreachable {
        /// Where it should be.
        url: Url,
        /// What the network says.
        #[source]
        source: reqwest::Error,
    },
    /// A request had no answer in time.
    #[error("no answer from {} within {}", text::address(url), text::duration(*.after))]
    NoAnswer {
        /// Where it should be.
        url: Url,
        /// How long was waited.
        after: Duration,
    },
    /// An answer that is not one of the coordinator's.
    #[error("{url} answers, but not as a coordinator does")]
    NotACoordinator {
        /// What was asked.
        url: Url,
        /// What is wrong with the answer.
        why: String,
    },
    /// The command line, or a file or value it names, is wrong.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// Why.
        why: Option<String>,
        /// What to do.
        help: Option<String>,
    },
    /// What was followed did not end well.
    #[error("{what}")]
    Outcome {
        /// The exit code that says how.
        exit: Exit,
        /// What ended, and how.
        what: String,
        /// Why.
        why: Option<String>,
        /// What to do.
        help: Option<String>,
    },
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file or stream cannot be used.
    #[error("cannot {what}")]
    Io {
        /// What was tried, as in "cannot ...".
        what: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The reader of our output went away, as `head` does.
    #[error("the output was closed")]
    OutputClosed,
    /// A value could not be written as JSON.
    #[error("cannot write JSON")]
    Json(#[from] serde_json::Error),
    /// The HTTP client could not be set up.
    #[error("cannot set up the HTTP client")]
    Setup(#[source] reqwest::Error),
}

impl CliError {
    /// A wrong command line, with its remedy.
    pub fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage {
            what: what.into(),
            why: None,
            help: Some(help.into()),
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Problem(problem) => exit_of(problem),
            Self::NotLoggedIn(_) => Exit::NotLoggedIn,
            Self::NoAnswer { .. } => Exit::TimedOut,
            Self::Usage { .. } | Self::NoCoordinator | Self::Config(ConfigError::Parse { .. }) => Exit::Usage,
            Self::Outcome { exit, .. } => *exit,
            Self::OutputClosed => Exit::Ok,
            Self::Unreachable { .. }
            | Self::NotACoordinator { .. }
            | Self::Config(ConfigError::Io(_) | ConfigError::Write(_) | ConfigError::NoHome)
            | Self::Io { .. }
            | Self::Json(_)
            | Self::Setup(_) => Exit::Failed,
        }
    }

    /// Why, as far as it is known.
    pub fn cause(&self) -> Option<String> {
        match self {
            Self::Problem(problem) => problem.detail.clone(),
            Self::Usage { why, .. } | Self::Outcome { why, .. } => why.clone(),
            Self::NotACoordinator { why, .. } => Some(why.clone()),
            // Of what the layers of the network say, the innermost is what happened.
            Self::Unreachable { .. } => self.chain().pop(),
            Self::NoCoordinator
            | Self::NotLoggedIn(_)
            | Self::NoAnswer { .. }
            | Self::Config(_)
            | Self::Io { .. }
            | Self::OutputClosed
            | Self::Json(_)
            | Self::Setup(_) => Some(self.chain().join(": ")).filter(|words| !words.is_empty()),
        }
    }

    /// What to do about it; a command where there is one.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Problem(problem) => problem
                .hint
                .clone()
                .or_else(|| (problem.status == 401).then(|| LOG_IN.to_owned())),
            Self::Usage { help, .. } | Self::Outcome { help, .. } => help.clone(),
            Self::NoCoordinator => Some(
                "pointsman login URL --with-token < token-file; or pass --url or set POINTSMAN_URL"
                    .to_owned(),
            ),
            Self::NotLoggedIn(url) => Some(format!(
                "pointsman login {} --with-token < token-file; or set POINTSMAN_TOKEN",
                text::address(url)
            )),
            Self::Unreachable { .. } | Self::NotACoordinator { .. } => Some(self.distrust().unwrap_or_else(|| {
                "check the address (--url, POINTSMAN_URL, `pointsman login`) and that the coordinator runs".to_owned()
            })),
            Self::NoAnswer { .. } => Some(
                "what was asked for may still happen; ask again, or give more time with --timeout".to_owned(),
            ),
            Self::Config(_) | Self::Io { .. } | Self::OutputClosed | Self::Json(_) | Self::Setup(_) => None,
        }
    }

    /// Id under which the coordinator's log knows the request.
    pub fn request(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => problem.request.as_deref(),
            Self::NoCoordinator
            | Self::NotLoggedIn(_)
            | Self::Unreachable { .. }
            | Self::NoAnswer { .. }
            | Self::NotACoordinator { .. }
            | Self::Usage { .. }
            | Self::Outcome { .. }
            | Self::Config(_)
            | Self::Io { .. }
            | Self::OutputClosed
            | Self::Json(_)
            | Self::Setup(_) => None,
        }
    }

    /// Whether the same request may well be answered a moment later: the coordinator is away, restarting or busy.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => self.distrust().is_none(),
            Self::NoAnswer { .. } => true,
            Self::Problem(problem) => matches!(problem.status, 429 | 500 | 502 | 503 | 504),
            Self::NoCoordinator
            | Self::NotLoggedIn(_)
            | Self::NotACoordinator { .. }
            | Self::Usage { .. }
            | Self::Outcome { .. }
            | Self::Config(_)
            | Self::Io { .. }
            | Self::OutputClosed
            | Self::Json(_)
            | Self::Setup(_) => false,
        }
    }

    /// What to do about a certificate that was not accepted.
    fn distrust(&self) -> Option<String> {
        certificate::advice(&self.chain().join(": "), "--ca-file or POINTSMAN_CA_FILE")
    }

    /// The messages of the causes; each once, because some libraries repeat their source in their own words.
    fn chain(&self) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        let mut next = self.source();
        while let Some(error) = next {
            let words = error.to_string();
            if !said.iter().any(|earlier| earlier.contains(&words)) {
                said.push(words);
            }
            next = error.source();
        }
        said
    }
}

const LOG_IN: &str = "pointsman login --with-token < token-file; or set POINTSMAN_TOKEN";

/// The exit code of a refusal. What is unknown is "not found" whatever its status, because a misspelt ref in a body
/// is the same mistake as a misspelt project in a path.
fn exit_of(problem: &Problem) -> Exit {
    if problem.code.starts_with("unknown_") || problem.code.ends_with("_not_found") {
        return Exit::NotFound;
    }
    match problem.status {
        401 => Exit::NotLoggedIn,
        403 | 409 | 412 | 423 | 428 => Exit::Refused,
        404 | 410 => Exit::NotFound,
        400 | 413 | 415 | 422 => Exit::Usage,
        408 | 504 => Exit::TimedOut,
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(status: u16, code: &str) -> Exit {
        CliError::Problem(Box::new(Problem::new(status, code, "no"))).exit()
    }

    #[test]
    fn refusals_have_the_documented_codes() {
        assert_eq!(exit(401, "unauthenticated"), Exit::NotLoggedIn);
        assert_eq!(exit(403, "forbidden"), Exit::Refused);
        assert_eq!(exit(409, "target_locked"), Exit::Refused);
        assert_eq!(exit(404, "not_found"), Exit::NotFound);
        assert_eq!(exit(422, "unknown_ref"), Exit::NotFound);
        assert_eq!(exit(422, "invalid"), Exit::Usage);
        assert_eq!(exit(500, "internal"), Exit::Failed);
    }

    #[test]
    fn a_refused_token_is_answered_with_the_way_to_log_in() {
        let error = CliError::Problem(Box::new(Problem::new(401, "unauthenticated", "unknown token")));
        assert_eq!(error.help().as_deref(), Some(LOG_IN));
    }
}
