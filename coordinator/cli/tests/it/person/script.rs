//! A run without a terminal: both streams apart.

use std::fmt;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::redacted;

/// What came of it.
pub struct Run {
    pub line: String,
    pub stdout: String,
    pub stderr: String,
    pub exit: i32,
}

impl Run {
    pub fn new(mut command: Command, line: &str, stdin: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        Self {
            line: line.to_owned(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            exit: output.status.code().unwrap_or(-1),
        }
    }

    /// stdout as JSON, one value.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// stdout as JSON, one value per line.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ pointsman {}", redacted(&self.line))?;
        if !self.stdout.is_empty() {
            write!(f, "--- stdout\n{}", redacted(&self.stdout))?;
        }
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", redacted(&self.stderr))?;
        }
        write!(f, "--- exit {}", self.exit)
    }
}
