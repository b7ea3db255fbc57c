//! Somebody who types commands: at a terminal of some width, or from a script.

mod script;
mod terminal;
mod transcript;

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

pub use script::Run;
pub use terminal::Sitting;
pub use transcript::redacted;

use crate::coordinator::{Coordinator, LUCY};

/// A person with a home folder of their own.
pub struct Person {
    home: TempDir,
    url: Option<String>,
    token: Option<&'static str>,
}

impl Person {
    /// Lucy, with address and token in her environment.
    pub fn lucy(coordinator: &Coordinator) -> Self {
        Self::with(coordinator, LUCY)
    }

    /// Somebody with this token.
    pub fn with(coordinator: &Coordinator, token: &'static str) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            url: Some(coordinator.url()),
            token: Some(token),
        }
    }

    /// Somebody whose environment says nothing.
    pub fn newcomer() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            url: None,
            token: None,
        }
    }

    /// A file in the home folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs from a script: no terminal anywhere.
    pub fn runs(&self, line: &str) -> Run {
        Run::new(self.command(line), line, "")
    }

    /// The same, with this on stdin.
    pub fn pipes(&self, stdin: &str, line: &str) -> Run {
        Run::new(self.command(line), line, stdin)
    }

    /// Types at a terminal of 50 rows and so many columns.
    pub fn types(&self, columns: u16, line: &str) -> Sitting {
        Sitting::new(self.command(line), columns)
    }

    /// Types at a terminal of this kind.
    pub fn types_at(&self, kind: &str, line: &str) -> Sitting {
        let mut command = self.command(line);
        command.env("TERM", kind);
        Sitting::new(command, 100)
    }

    /// The command of a line, in an environment that holds nothing but what is said here.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
        command
            .args(words(line))
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("TERM", "xterm-256color");
        command.envs(self.url.as_ref().map(|url| ("POINTSMAN_URL", url)));
        command.envs(self.token.map(|token| ("POINTSMAN_TOKEN", token)));
        command
    }
}

/// Words of a command line; single quotes keep a word together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
