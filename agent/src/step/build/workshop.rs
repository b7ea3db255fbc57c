//! The builder's folders: mirrors of repositories, one folder per running build, caches between builds.

use std::path::{Path, PathBuf};

use pointsman_git::{Mirror, SshKey, Transport};
use pointsman_shared::ids::ProjectId;
use pointsman_shared::repository::RepositoryUrl;

use crate::dir::FileError;

/// Where builds are done and how repositories are reached.
#[derive(Debug)]
pub struct Workshop {
    folder: PathBuf,
    transport: Transport,
}

/// The folder of one running build; all of it is removed when the build ends.
#[derive(Debug, Clone)]
pub(super) struct Bench {
    pub(super) folder: PathBuf,
    /// The checkout.
    pub(super) source: PathBuf,
    /// `HOME` of its steps.
    pub(super) home: PathBuf,
    /// `TMPDIR` of its steps.
    pub(super) temporary: PathBuf,
}

impl Workshop {
    /// Opens the workshop and clears what builds of an earlier agent left; call it before any build of this one begins.
    pub fn open(folder: &Path, transport: Transport) -> Result<Self, FileError> {
        let builds = folder.join("builds");
        if builds.exists() {
            fs_err::remove_dir_all(&builds).map_err(|error| FileError::new("clear", &builds, error))?;
        }
        for name in ["builds", "mirrors", "caches"] {
            let path = folder.join(name);
            fs_err::create_dir_all(&path).map_err(|error| FileError::new("make folder", &path, error))?;
        }
        let folder =
            fs_err::canonicalize(folder).map_err(|error| FileError::new("open folder", folder, error))?;
        Ok(Self { folder, transport })
    }

    /// The mirror of a project's repository, reached with the project's own key where it has one, ended by `stop`.
    pub(super) fn mirror(
        &self,
        project: ProjectId,
        url: &RepositoryUrl,
        key: Option<SshKey>,
        stop: &pointsman_git::Stop,
    ) -> pointsman_git::Result<Mirror> {
        let transport = Transport {
            key,
            stop: stop.clone(),
            ..self.transport.clone()
        };
        let name = transport.mirror_name(url, project);
        Mirror::open(&self.folder.join("mirrors").join(name), url, &transport)
    }

    /// Where a project's caches lie.
    pub(super) fn caches(&self, project: ProjectId) -> PathBuf {
        self.folder.join("caches").join(project.to_string())
    }

    /// A fresh folder for the build called `name`.
    pub(super) fn bench(&self, name: &str) -> std::io::Result<Bench> {
        let folder = self.folder.join("builds").join(name);
        if folder.exists() {
            fs_err::remove_dir_all(&folder)?;
        }
        let bench = Bench {
            source: folder.join("source"),
            home: folder.join("home"),
            temporary: folder.join("tmp"),
            folder,
        };
        for path in [&bench.folder, &bench.home, &bench.temporary] {
            fs_err::create_dir(path)?;
        }
        Ok(bench)
    }
}
