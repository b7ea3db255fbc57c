//! Runs the operator's command as a person would, shows what it says, and keeps what it answers.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use pointsman_shared::api::deployments::Deployment;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;

use super::narrator::Narrator;
use crate::command::tied;
use pointsman_sandbox::{Error, Result};

/// The `pointsman` command with address and token of the fleet.
#[derive(Debug)]
pub(crate) struct CommandLine {
    pub(crate) program: PathBuf,
    pub(crate) url: String,
    pub(crate) token: String,
    /// Where it would keep settings; never the caller's own.
    pub(crate) home: PathBuf,
    pub(crate) narrator: Narrator,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The line, as a person would type it.
    pub(crate) line: String,
    /// Its exit code; -1 for a signal.
    pub(crate) exit: i32,
    pub(crate) duration_ms: u64,
    /// The last deployment it told about.
    pub(crate) deployment: Option<Deployment>,
}

impl CommandLine {
    /// Runs it; its talk is shown as it comes.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<Ran> {
        let line = format!(
            "pointsman {}",
            arguments
                .iter()
                .map(|word| quoted(word))
                .collect::<Vec<_>>()
                .join(" ")
        );
        self.narrator.say("$", &line);
        let begin = Instant::now();
        let mut argv = vec![self.program.clone().into_os_string()];
        argv.extend(arguments.iter().map(Into::into));
        argv.extend(["-o", "json", "--no-color", "--no-input"].map(Into::into));
        let mut command = Command::from(tied(&argv));
        command
            .env("POINTSMAN_URL", &self.url)
            .env("POINTSMAN_TOKEN", &self.token)
            .env("XDG_CONFIG_HOME", &self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(Error::io(format!("running {}", self.program.display())))?;
        let (Some(mut results), Some(talk)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Error::Unexpected("a command has no pipes".to_owned()));
        };
        let show = async {
            let mut lines = BufReader::new(talk).lines();
            while let Some(line) = lines.next_line().await? {
                self.narrator.quote(without_time(&line));
            }
            std::io::Result::Ok(())
        };
        let mut answer = String::new();
        let (shown, read) = tokio::join!(show, results.read_to_string(&mut answer));
        shown
            .and(read.map(drop))
            .map_err(Error::io("reading what the command says"))?;
        let status = child.wait().await.map_err(Error::io("waiting for the command"))?;
        Ok(Ran {
            line,
            exit: status.code().unwrap_or(-1),
            duration_ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
            deployment: last_deployment(&answer),
        })
    }
}

/// While following, the command prints one object per line; the last deployment is how it ended.
fn last_deployment(answer: &str) -> Option<Deployment> {
    answer.lines().rev().find_map(|line| {
        let mut object: serde_json::Value = serde_json::from_str(line).ok()?;
        serde_json::from_value(object.get_mut("deployment")?.take()).ok()
    })
}

/// The demo tells times its own way: the command's timestamps are cut off.
fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, rest)) if time.len() == 20 && time.ends_with('Z') && time.starts_with("20") => rest,
        Some(_) | None => line,
    }
}

/// A word as it must be typed in a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:+=,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_can_be_typed_as_shown_and_lose_their_timestamps() {
        assert_eq!(quoted("shop@production"), "shop@production");
        assert_eq!(quoted("#1"), "'#1'");
        assert_eq!(
            without_time("2026-11-20T12:00:00Z live on 3 hosts"),
            "live on 3 hosts"
        );
        assert_eq!(without_time("error: no such ref"), "error: no such ref");
    }
}
