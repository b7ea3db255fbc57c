//! The fresh folder that a release is unpacked into.
//!
//! It was empty and ours alone when we began; every write goes through an open folder beneath it and creates what was
//! not there. Nothing is ever overwritten, followed or cleaned up: after a failure the caller throws the folder away.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Dir, Mode, OFlags, ResolveFlags};

use crate::beneath::Tree;
use crate::error::{Error, Result};
use crate::manifest::{Entry, Kind, Manifest};
use crate::path::ReleasePath;

const PRIVATE: Mode = Mode::from_raw_mode(0o700);
const FOLDER: Mode = Mode::from_raw_mode(0o755);

#[derive(Debug)]
pub(crate) struct Destination {
    tree: Tree,
}

/// The folder that a thread last wrote into; entries are sorted, so it is mostly the right one.
#[derive(Debug, Default)]
pub(crate) struct LastFolder(Option<(String, OwnedFd)>);

impl Destination {
    /// Makes `path`, or takes it if it is an empty folder of ours with mode 0700.
    pub(crate) fn fresh(path: &Path) -> Result<Self> {
        match rustix::fs::mkdirat(CWD, path, PRIVATE) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(Error::io("making folder", path, error)),
        }
        let tree = Tree::open(path)?;
        let failed = |error| Error::io("looking at", path, error);
        let stat = rustix::fs::fstat(tree.top()).map_err(failed)?;
        let refuse = |fault| {
            Err(Error::NotFresh {
                path: path.to_path_buf(),
                fault,
            })
        };
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return refuse("it belongs to another user");
        }
        if stat.st_mode & 0o777 != PRIVATE.as_raw_mode() {
            return refuse("others may enter it");
        }
        for entry in Dir::read_from(tree.top()).map_err(failed)? {
            if !matches!(entry.map_err(failed)?.file_name().to_bytes(), b"." | b"..") {
                return refuse("it is not empty");
            }
        }
        Ok(Self { tree })
    }

    /// Makes every folder of `manifest`, still private; parents come first.
    pub(crate) fn make_folders(&self, manifest: &Manifest) -> Result<()> {
        let mut last = LastFolder::default();
        for entry in manifest
            .entries()
            .iter()
            .filter(|entry| entry.kind == Kind::Directory)
        {
            rustix::fs::mkdirat(self.parent(&mut last, &entry.path)?, entry.path.name(), PRIVATE)
                .map_err(|error| Error::io("making folder", self.tree.full(&entry.path), error))?;
        }
        Ok(())
    }

    /// Makes the file of `entry`, lets `write` give it its content and gives it its mode.
    pub(crate) fn make_file(
        &self,
        last: &mut LastFolder,
        entry: &Entry,
        write: impl FnOnce(&mut File) -> Result<()>,
    ) -> Result<()> {
        let failed = |error| self.failed(&entry.path, error);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        let fd = rustix::fs::openat(self.parent(last, &entry.path)?, entry.path.name(), flags, mode)
            .map_err(|error| failed(error.into()))?;
        let mut file = File::from(fd);
        write(&mut file)?;
        // Set and not asked for at creation, because the process' umask would take bits away.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(entry.kind.mode()))
            .map_err(|error| failed(error.into()))
    }

    /// Makes a link with the text `target`.
    pub(crate) fn make_link(&self, last: &mut LastFolder, path: &ReleasePath, target: &str) -> Result<()> {
        rustix::fs::symlinkat(target, self.parent(last, path)?, path.name())
            .map_err(|error| Error::io("making link", self.tree.full(path), error))
    }

    /// Names `path` in an error of writing its file.
    pub(crate) fn failed(&self, path: &ReleasePath, error: io::Error) -> Error {
        Error::io("writing", self.tree.full(path), error)
    }

    /// Opens the folders to readers, deepest first and the top last, then makes everything durable.
    pub(crate) fn seal(&self, manifest: &Manifest) -> Result<()> {
        for entry in manifest
            .entries()
            .iter()
            .rev()
            .filter(|entry| entry.kind == Kind::Directory)
        {
            self.open_up(entry.path.as_str())?;
        }
        self.open_up("")?;
        rustix::fs::syncfs(self.tree.top()).map_err(|error| Error::io("syncing", self.tree.path(), error))
    }

    fn open_up(&self, path: &str) -> Result<()> {
        let failed = |error| Error::io("setting the mode of", self.tree.full(path), error);
        rustix::fs::fchmod(self.tree.folder(path)?, FOLDER).map_err(failed)
    }

    /// The open folder of `path`, opened again only where it is another than before.
    fn parent<'a>(&self, last: &'a mut LastFolder, path: &ReleasePath) -> Result<&'a OwnedFd> {
        let wanted = path.parent().unwrap_or_default();
        let fd = match last.0.take() {
            Some((folder, fd)) if folder == wanted => fd,
            _ => self.open_for_writing(wanted)?,
        };
        Ok(&last.0.insert((wanted.to_owned(), fd)).1)
    }

    fn open_for_writing(&self, path: &str) -> Result<OwnedFd> {
        let name = if path.is_empty() { "." } else { path };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        rustix::fs::openat2(self.tree.top().as_fd(), name, flags, Mode::empty(), resolve)
            .map_err(|error| Error::io("opening folder", self.tree.full(path), error))
    }
}
