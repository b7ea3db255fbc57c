//! Talking to the repository: every run of `git` for a mirror stands here.
//!
//! It refuses to interpret more of what `git` prints than it must: full disks, refused contents, all else.

use std::path::Path;
use std::process::Command;

use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::mirror::Mirror;
use crate::process::{self, Finished};

/// All that a mirror mirrors.
pub(crate) const ALL_REFS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

impl Mirror {
    pub(crate) fn pull(&self, repository: &Path, writing: &Lock, refspecs: &[&str]) -> Result<()> {
        self.git(repository, Some(writing), |command| {
            command.args([
                "fetch",
                "--quiet",
                "--force",
                "--no-tags",
                "--update-shallow",
                "--no-recurse-submodules",
            ]);
            command.args(["--no-write-fetch-head", "--no-auto-maintenance"]);
            if refspecs == ALL_REFS {
                command.arg("--prune");
            }
            command.arg("--").arg(self.address()).args(refspecs);
        })
        .map(drop)
    }

    pub(crate) fn git(
        &self,
        repository: &Path,
        lock: Option<&Lock>,
        arguments: impl FnOnce(&mut Command),
    ) -> Result<Finished> {
        let mut command = self
            .transport
            .command(&self.url, &self.folder.join("gitconfig"), repository)?;
        arguments(&mut command);
        let finished = process::run(command, lock, self.transport.timeout, &self.transport.stop)?;
        if finished.status.success() {
            Ok(finished)
        } else {
            Err(self.failure(&finished))
        }
    }

    fn failure(&self, finished: &Finished) -> Error {
        let lines: Vec<_> = finished
            .stderr
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let stderr = match lines.as_slice() {
            [] => format!("git ended with {}", finished.status),
            lines => lines[lines.len().saturating_sub(6)..].join("; "),
        };
        if finished.stderr.contains("No space left on device") {
            let source = std::io::Error::new(std::io::ErrorKind::StorageFull, stderr);
            return Error::Storage {
                what: format!("fetching into {}", self.folder.display()),
                source,
            };
        }
        let url = self.url.clone();
        if finished.stderr.contains("fsck error") {
            Error::Unsound { url, stderr }
        } else {
            Error::Unreachable { url, stderr }
        }
    }

    /// What `git` is told: the path of a local repository, else the canonical address.
    pub(crate) fn address(&self) -> String {
        self.url
            .local_path()
            .map_or_else(|| self.url.to_string(), str::to_owned)
    }
}
