//! A real git repository for a test, made by the real git.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

/// A repository with a work tree.
#[derive(Debug)]
pub struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// An empty repository in `folder`, which everybody may read.
    pub fn create(folder: PathBuf) -> Result<Self> {
        fs_err::create_dir_all(&folder)?;
        fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
        let repository = Self { folder };
        repository.git(&["init", "--quiet", "--initial-branch=main", "."])?;
        Ok(repository)
    }

    /// The work tree.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address that a project names.
    pub fn url(&self) -> String {
        format!("file://{}", self.folder.display())
    }

    /// Writes a file into the work tree.
    pub fn write(&self, path: &str, content: &str) -> Result<&Self> {
        let file = self.folder.join(path);
        if let Some(parent) = file.parent() {
            fs_err::create_dir_all(parent)?;
        }
        fs_err::write(&file, content)?;
        Ok(self)
    }

    /// Writes an executable file into the work tree.
    pub fn script(&self, path: &str, content: &str) -> Result<&Self> {
        self.write(path, content)?;
        fs_err::set_permissions(self.folder.join(path), std::fs::Permissions::from_mode(0o755))?;
        Ok(self)
    }

    /// Commits everything and puts a tag on it.
    pub fn tag(&self, tag: &str) -> Result<&Self> {
        self.git(&["add", "--all"])?;
        self.git(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            &format!("Version {tag}"),
        ])?;
        self.git(&["tag", tag])?;
        Ok(self)
    }

    /// Runs git in the work tree and returns what it prints.
    pub fn git(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = Command::new("git")
            .current_dir(&self.folder)
            .args([
                "-c",
                "user.name=Ann",
                "-c",
                "user.email=ann@example.org",
                "-c",
                "safe.directory=*",
            ])
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()?;
        ensure!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(output.stdout)
    }
}
