//! The mirror of one repository: a bare copy of all branches and tags, kept by fetches, healed when damaged.
//!
//! ```text
//! <folder>/repository.git    the mirror; its file `pointsman-url` names the address it was made from
//! <folder>/incoming.git      a mirror in the making, renamed when whole
//! <folder>/broken.git        the last mirror that was set aside
//! <folder>/gitconfig         the configuration `git` runs with
//! <folder>/fetched         touched by each fetch of all branches and tags
//! <folder>/fetch.lock        held by the one who fetches (and by its `git`, should it outlive us)
//! <folder>/repository.lock   shared by readers; exclusive to swap or repack `repository.git`
//! ```
//!
//! A mirror becomes visible only whole, by rename. Reading one that is missing, made from another address or damaged
//! makes a fresh one first; the old one stays in place until the fresh one is complete. This module refuses to throw
//! a mirror away because the *repository* cannot be reached.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pointsman_shared::repository::{CommitId, RepositoryUrl};

use crate::error::{Error, Result};
use crate::git_program::Transport;
use crate::lock::{Lock, Mode};
use crate::remote::ALL_REFS;
use crate::renewal::Probe;
use crate::upkeep;

/// What the repository itself has checked out or offers by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteHead {
    /// Name of the default branch; none if `HEAD` is detached.
    pub branch: Option<String>,
    /// Its commit.
    pub commit: CommitId,
}

/// A bare copy of one repository in a folder of this machine.
#[derive(Debug, Clone)]
pub struct Mirror {
    pub(crate) folder: PathBuf,
    pub(crate) url: RepositoryUrl,
    pub(crate) transport: Transport,
}

impl Mirror {
    /// The mirror of `url` in `folder` (made if missing); nothing is fetched yet.
    pub fn open(folder: &Path, url: &RepositoryUrl, transport: &Transport) -> Result<Self> {
        transport.check(url)?;
        fs_err::create_dir_all(folder).map_err(Error::storage("making the folder of a mirror"))?;
        let folder = folder
            .canonicalize()
            .map_err(Error::storage("finding the folder of a mirror"))?;
        Ok(Self {
            folder,
            url: url.clone(),
            transport: transport.clone(),
        })
    }

    /// The address.
    pub fn url(&self) -> &RepositoryUrl {
        &self.url
    }

    /// Brings all branches and tags up to date; ones that vanished vanish here, too.
    pub fn fetch(&self) -> Result<()> {
        let writing = self.lock_for_writing()?;
        self.fetch_all(&writing)?;
        fs_err::write(self.stamp(), b"fetched\n").map_err(Error::storage("noting a fetch"))
    }

    fn fetch_all(&self, writing: &Lock) -> Result<()> {
        if !self.is_ours() {
            return self.renew(writing, Probe::No);
        }
        upkeep::clear_leftovers(&self.repository());
        match self.pull(&self.repository(), writing, &ALL_REFS) {
            Err(error @ Error::Unreachable { .. }) => {
                // Whose fault is it? A fresh mirror tells: it first asks whether the repository answers at all.
                tracing::warn!(url = %self.url, %error, "fetching failed; trying whether a fresh mirror can be made");
                self.renew(writing, Probe::Yes)
            }
            Err(error) => Err(error),
            Ok(()) => self.tidy(writing),
        }
    }

    /// Makes sure that `commit` is here: as it is, after a fetch, or asked for by its id.
    pub fn ensure_commit(&self, commit: &CommitId) -> Result<()> {
        if self.has(commit)? {
            return Ok(());
        }
        self.fetch()?;
        if self.has(commit)? {
            return Ok(());
        }
        // A ref of ours keeps it, as no branch or tag does.
        let wanted = format!("+{commit}:refs/pointsman/commits/{commit}");
        let pulled = self
            .lock_for_writing()
            .and_then(|writing| self.pull(&self.repository(), &writing, &[&wanted]));
        match pulled {
            Ok(()) if self.has(commit)? => Ok(()),
            // The fetch just before proved that the repository answers.
            Ok(()) | Err(Error::Unreachable { .. }) => Err(Error::UnknownCommit {
                commit: commit.clone(),
            }),
            Err(error) => Err(error),
        }
    }

    /// What the repository has as `HEAD`; none in an empty one. Asks the repository, not the mirror.
    pub fn head(&self) -> Result<Option<RemoteHead>> {
        if !self.is_ours() {
            self.fetch()?;
        }
        let finished = self.git(&self.repository(), None, |command| {
            command
                .args(["ls-remote", "--symref", "--"])
                .arg(self.address())
                .arg("HEAD");
        })?;
        let mut branch = None;
        let mut commit = None;
        for (value, name) in finished.stdout.lines().filter_map(|line| line.split_once('\t')) {
            match value.strip_prefix("ref: refs/heads/") {
                Some(name) => branch = Some(name.to_owned()),
                None if name == "HEAD" => commit = value.parse().ok(),
                None => {}
            }
        }
        Ok(commit.map(|commit| RemoteHead { branch, commit }))
    }

    /// Repacks when many fetches have left many packs, unless somebody reads just now.
    fn tidy(&self, writing: &Lock) -> Result<()> {
        if !upkeep::has_many_packs(&self.repository()) {
            return Ok(());
        }
        let Some(_alone) = Lock::try_take(&self.folder.join("repository.lock"), Mode::Exclusive)? else {
            return Ok(());
        };
        for arguments in [
            &["pack-refs", "--all"][..],
            &["repack", "--quiet", "--geometric=2", "-d"][..],
        ] {
            let result = self.git(&self.repository(), Some(writing), |command| {
                command.args(arguments);
            });
            if let Err(error) = result {
                tracing::warn!(url = %self.url, %error, "tidying the mirror failed; the fetch itself is complete");
            }
        }
        Ok(())
    }

    fn has(&self, commit: &CommitId) -> Result<bool> {
        self.read(|repository| {
            let Ok(id) = git2::Oid::from_str(commit.as_str()) else {
                return Ok(false);
            };
            match repository.find_commit(id) {
                Ok(_) => Ok(true),
                Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
    }

    pub(crate) fn lock_for_writing(&self) -> Result<Lock> {
        let transport = &self.transport;
        transport.check(&self.url)?;
        let lock = Lock::take(
            &self.folder.join("fetch.lock"),
            Mode::Exclusive,
            transport.timeout,
            &transport.stop,
        )?;
        upkeep::replace(&self.folder.join("gitconfig"), &transport.config_text(&self.url))?;
        Ok(lock)
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.join("repository.git")
    }

    pub(crate) fn stamp(&self) -> PathBuf {
        self.folder.join("fetched")
    }

    pub(crate) fn is_ours(&self) -> bool {
        fs_err::read_to_string(self.repository().join("pointsman-url"))
            .is_ok_and(|url| url == self.url.to_string())
    }

    pub(crate) fn inode(&self) -> Option<u64> {
        fs_err::metadata(self.repository())
            .ok()
            .map(|metadata| metadata.ino())
    }
}
