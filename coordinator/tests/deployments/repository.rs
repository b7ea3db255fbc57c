//! A git repository with a history to deploy.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A repository in a folder of its own.
#[derive(Debug)]
pub struct Repository {
    folder: TempDir,
}

impl Repository {
    /// An empty one with the branch `main`.
    pub fn new() -> Self {
        let repository = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Commits these files and tags the commit.
    pub fn release(&self, tag: &str, files: &[(&str, &str)]) {
        for (path, content) in files {
            fs_err::write(self.path().join(path), content).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            &format!("version {tag}"),
        ]);
        self.git(&["tag", tag]);
    }

    /// Tags the newest commit once more.
    pub fn tag(&self, name: &str) {
        self.git(&["tag", name]);
    }

    /// Begins a branch at this commit, and goes there.
    pub fn branch(&self, name: &str, from: &str) {
        self.git(&["checkout", "--quiet", "-b", name, from]);
    }

    /// Goes to this branch.
    pub fn checkout(&self, name: &str) {
        self.git(&["checkout", "--quiet", name]);
    }

    fn git(&self, arguments: &[&str]) {
        let status = Command::new("git")
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
            .args(arguments)
            .status()
            .unwrap();
        assert!(status.success(), "git {arguments:?}");
    }
}
