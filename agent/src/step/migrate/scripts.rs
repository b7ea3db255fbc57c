//! The scripts of an installed release: listed by its recorded manifest, and read only if their bytes are the recorded
//! ones.

use std::path::{Path, PathBuf};

use pointsman_archive::{Kind, Manifest};
use pointsman_shared::digest::Digest;
use pointsman_shared::migration::{Script, scripts};
use pointsman_shared::outcome::Phase;

use crate::step::Failure;

/// A comment that takes a script out of its transaction, anywhere before its first statement.
const NO_TRANSACTION: &str = "-- pointsman: no-transaction";

/// A folder of scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    folder: PathBuf,
    /// By name.
    pub(super) all: Vec<Script>,
}

/// A script's text.
#[derive(Debug)]
pub(super) struct Text {
    /// The file, for people.
    pub(super) file: String,
    pub(super) sql: String,
    /// Whether it runs inside one transaction.
    pub(super) whole: bool,
}

impl Scripts {
    /// The scripts of `folder` in the release that lies at `release`.
    pub(super) fn of(release: &Path, manifest: &Manifest, folder: &str) -> Result<Self, Failure> {
        let files = manifest.entries().iter().filter_map(|entry| match &entry.kind {
            Kind::File { digest, .. } => Some((entry.path.as_str(), *digest)),
            Kind::Directory | Kind::Symlink { .. } => None,
        });
        let all = scripts(folder, files)
            .map_err(|error| Failure::of(Phase::Migrate, "migration_unnumbered", &error))?;
        Ok(Self {
            folder: release.join(folder),
            all,
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Script> {
        self.all.iter().find(|script| script.name.as_str() == name)
    }

    pub(super) fn read_up(&self, script: &Script) -> Result<Text, Failure> {
        self.read(&script.file(), script.checksum)
    }

    /// None where the project has no way back.
    pub(super) fn read_down(&self, script: &Script) -> Result<Option<Text>, Failure> {
        let read = |digest| self.read(&script.down_file(), digest);
        script.down.map(read).transpose()
    }

    fn read(&self, file: &str, digest: Digest) -> Result<Text, Failure> {
        let path = self.folder.join(file);
        let bytes = fs_err::read(&path).map_err(|error| Failure::io(Phase::Migrate, &error))?;
        if Digest::of(&bytes) != digest {
            let message = format!(
                "{} is not what was built; somebody changed it on this host, install the release again",
                path.display()
            );
            return Err(Failure::new(Phase::Migrate, "release_damaged", message));
        }
        let sql = String::from_utf8(bytes).map_err(|_| {
            let message = format!("{} is not UTF-8; save it as UTF-8", path.display());
            Failure::new(Phase::Migrate, "migration_unreadable", message)
        })?;
        let marked = |line: &str| line.trim() == NO_TRANSACTION;
        let mut head = sql.lines().take_while(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with("--")
        });
        Ok(Text {
            whole: !head.any(marked),
            file: file.to_owned(),
            sql,
        })
    }
}
