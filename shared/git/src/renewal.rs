//! Reading a mirror, and making a fresh one where reading shows that it is missing or damaged.
//!
//! Readers share a lock, so nothing is swapped or repacked under them. A fresh mirror is made beside the old one and
//! takes its place only when it is whole. This module refuses to call a lack of memory, rights or file handles damage.

use std::path::Path;

use crate::error::{Error, Result};
use crate::lock::{Lock, Mode};
use crate::mirror::Mirror;
use crate::remote::ALL_REFS;
use crate::upkeep;

/// Why a read did not succeed: an error for the caller, or one of libgit2 that tells of damage.
#[derive(Debug)]
pub(crate) enum Fault {
    Ours(Error),
    Git(git2::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<git2::Error> for Fault {
    fn from(error: git2::Error) -> Self {
        Self::Git(error)
    }
}

/// Too many open files, no memory, no rights, settings of the user or system that cannot be parsed: nothing that a
/// fresh mirror would mend.
fn is_not_damage(error: &git2::Error, folder: &Path) -> bool {
    use git2::ErrorClass::{Config, NoMemory, Os, Thread};
    let elsewhere = || !error.message().contains(&*folder.to_string_lossy());
    matches!(error.class(), Os | NoMemory | Thread) || (error.class() == Config && elsewhere())
}

/// Whether the repository is first asked for a sign of life, which costs one more connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    Yes,
    No,
}

impl Mirror {
    /// Reads under the shared lock; if the mirror is missing or damaged, makes a fresh one and reads again.
    pub(crate) fn read<T>(&self, work: impl Fn(&git2::Repository) -> Result<T, Fault>) -> Result<T> {
        let seen = self.inode();
        let reason = match self.read_once(&work) {
            Err(Error::Damaged { reason, .. }) => reason,
            result => return result,
        };
        tracing::warn!(url = %self.url, reason, "the mirror cannot be read; making a fresh one");
        self.heal(seen).map_err(|error| {
            let old_is_all_there_is =
                matches!(error, Error::Unreachable { .. } | Error::Unsound { .. }) && seen.is_some();
            if !old_is_all_there_is {
                return error;
            }
            let reason = format!("{reason}; a fresh one could not be made: {error}");
            Error::Damaged {
                mirror: self.folder.clone(),
                reason,
            }
        })?;
        self.read_once(&work)
    }

    /// Reads under the shared lock what is there.
    pub(crate) fn read_once<T>(&self, work: impl Fn(&git2::Repository) -> Result<T, Fault>) -> Result<T> {
        let transport = &self.transport;
        let _reading = Lock::take(
            &self.folder.join("repository.lock"),
            Mode::Shared,
            transport.timeout,
            &transport.stop,
        )?;
        let damaged = |reason: String| Error::Damaged {
            mirror: self.folder.clone(),
            reason,
        };
        if !self.is_ours() {
            return Err(damaged(format!("there is no mirror of {} yet", self.url)));
        }
        let result = git2::Repository::open_bare(self.repository()).map_err(Fault::Git);
        result
            .and_then(|repository| work(&repository))
            .map_err(|fault| match fault {
                Fault::Ours(error) => error,
                Fault::Git(error) if is_not_damage(&error, &self.folder) => Error::Storage {
                    what: format!("reading the mirror {}", self.folder.display()),
                    source: std::io::Error::other(error),
                },
                Fault::Git(error) => damaged(error.message().to_owned()),
            })
    }

    /// A fresh mirror, unless somebody else made one since `seen` was looked at.
    fn heal(&self, seen: Option<u64>) -> Result<()> {
        let writing = self.lock_for_writing()?;
        if self.is_ours() && self.inode() != seen {
            return Ok(());
        }
        self.renew(&writing, Probe::Yes)
    }

    /// Makes a fresh mirror beside the old one and puts it in its place.
    pub(crate) fn renew(&self, writing: &Lock, probe: Probe) -> Result<()> {
        let incoming = self.folder.join("incoming.git");
        upkeep::remove(&incoming)?;
        let made = self
            .make(&incoming, writing, probe)
            .and_then(|()| self.put_in_place(&incoming));
        if made.is_err() {
            upkeep::remove(&incoming)?;
        }
        made
    }

    fn make(&self, incoming: &Path, writing: &Lock, probe: Probe) -> Result<()> {
        let mut options = git2::RepositoryInitOptions::new();
        options
            .bare(true)
            .no_reinit(true)
            .mkpath(true)
            .external_template(false);
        git2::Repository::init_opts(incoming, &options).map_err(|error| Error::Storage {
            what: format!("making {}", incoming.display()),
            source: std::io::Error::other(error),
        })?;
        if probe == Probe::Yes {
            self.git(incoming, Some(writing), |command| {
                command.args(["ls-remote", "--"]).arg(self.address()).arg("HEAD");
            })?;
        }
        self.pull(incoming, writing, &ALL_REFS)?;
        self.git(incoming, Some(writing), |command| {
            command.args(["pack-refs", "--all"]);
        })?;
        fs_err::write(incoming.join("pointsman-url"), self.url.to_string())
            .map_err(Error::storage("marking a mirror"))
    }

    fn put_in_place(&self, incoming: &Path) -> Result<()> {
        let transport = &self.transport;
        let _alone = Lock::take(
            &self.folder.join("repository.lock"),
            Mode::Exclusive,
            transport.timeout,
            &transport.stop,
        )?;
        let (old, broken) = (self.repository(), self.folder.join("broken.git"));
        if old.exists() {
            upkeep::remove(&broken)?;
            fs_err::rename(&old, &broken).map_err(Error::storage("setting a mirror aside"))?;
        }
        fs_err::rename(incoming, &old).map_err(Error::storage("putting a mirror in place"))
    }
}
