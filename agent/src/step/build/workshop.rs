//! The builder's folders: mirrors of repositories, one folder per running build, caches between builds.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pointsman_git::{Mirror, SshKey, Stop, Transport};
use pointsman_shared::ids::ProjectId;
use pointsman_shared::outcome::GoneFolder;
use pointsman_shared::repository::RepositoryUrl;

use super::upkeep::{Free, InUse, Reach, Upkeep, Users};
use crate::config::WorkshopSection;
use crate::dir::FileError;

/// Where builds are done and how repositories are reached.
#[derive(Debug)]
pub struct Workshop {
    folder: PathBuf,
    transport: Transport,
    limits: WorkshopSection,
    users: Users,
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

/// The disk that holds a folder.
#[derive(Debug)]
struct Disk<'a>(&'a Path);

impl Free for Disk<'_> {
    fn bytes(&self) -> std::io::Result<u64> {
        let disk = rustix::fs::statvfs(self.0)?;
        Ok(disk.f_bavail * disk.f_frsize)
    }
}

impl Workshop {
    /// Opens the workshop and clears what builds of an earlier agent left; call it before any build of this one begins.
    pub fn open(folder: &Path, transport: Transport, limits: WorkshopSection) -> Result<Self, FileError> {
        for name in ["builds", "going"] {
            let left = folder.join(name);
            if left.exists() {
                fs_err::remove_dir_all(&left).map_err(|error| FileError::new("clear", &left, error))?;
            }
        }
        for name in ["builds", "mirrors", "caches"] {
            let path = folder.join(name);
            fs_err::create_dir_all(&path).map_err(|error| FileError::new("make folder", &path, error))?;
        }
        let folder =
            fs_err::canonicalize(folder).map_err(|error| FileError::new("open folder", folder, error))?;
        Ok(Self {
            folder,
            transport,
            limits,
            users: Users::default(),
        })
    }

    /// The mirror of a project's repository, reached with the project's own key where it has one, ended by `stop`. It is
    /// in use until the second value is dropped.
    pub(super) fn mirror(
        &self,
        project: ProjectId,
        url: &RepositoryUrl,
        key: Option<SshKey>,
        stop: &Stop,
    ) -> pointsman_git::Result<(Mirror, InUse)> {
        let transport = Transport {
            key,
            stop: stop.clone(),
            ..self.transport.clone()
        };
        let folder = self
            .folder
            .join("mirrors")
            .join(transport.mirror_name(url, project));
        let using = self.users.of(folder.clone());
        let mirror = Mirror::open(&folder, url, &transport)?;
        Ok((mirror, using))
    }

    /// Where a project's caches lie; they are in use until the second value is dropped.
    pub(super) fn caches(&self, project: ProjectId) -> (PathBuf, InUse) {
        let folder = self.folder.join("caches").join(project.to_string());
        let using = self.users.of(folder.clone());
        (folder, using)
    }

    /// Deletes what builds left behind; says what went.
    pub(super) fn collect(&self, reach: Reach, now: SystemTime) -> std::io::Result<Vec<GoneFolder>> {
        let upkeep = Upkeep {
            folder: &self.folder,
            users: &self.users,
            limits: &self.limits,
            free: &Disk(&self.folder),
        };
        upkeep.collect(reach, now)
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
