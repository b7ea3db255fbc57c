//! The only door to the files of a tree: every path is opened beneath an open folder, by the kernel's own rule.
//!
//! `openat2` with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS` refuses whatever would lead out, also when somebody swaps a
//! folder for a link in the middle of the work. Nothing here follows a link or takes an absolute path below the top.
//! It needs Linux 5.6; there is no weaker way for older kernels.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};

use crate::error::{Error, Result};
use crate::path::ReleasePath;

/// An open folder, the top of a tree.
#[derive(Debug)]
pub(crate) struct Tree {
    top: OwnedFd,
    path: PathBuf,
}

/// What stands at a name, not followed.
#[derive(Debug)]
pub(crate) enum Found {
    File { size: u64, mode: u32 },
    Directory { mode: u32 },
    Symlink { target: Vec<u8> },
    Other { kind: &'static str },
}

impl Tree {
    /// Opens `path`, which must be a folder and not a link to one.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let top = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|error| Error::io("opening folder", path, error))?;
        Ok(Self {
            top,
            path: path.to_path_buf(),
        })
    }

    /// The open folder itself.
    pub(crate) fn top(&self) -> BorrowedFd<'_> {
        self.top.as_fd()
    }

    /// Where the tree lies, for messages only.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The full name of `path`, for messages only.
    pub(crate) fn full(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path.join(path)
    }

    /// Opens a folder below the top; the empty path is the top.
    pub(crate) fn folder(&self, path: &str) -> Result<OwnedFd> {
        let name = if path.is_empty() { "." } else { path };
        self.open_beneath(name, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(|error| Error::io("opening folder", self.full(path), error))
    }

    /// Opens a regular file for reading and says its permission bits. Never waits on a fifo that took its place.
    pub(crate) fn file(&self, path: &ReleasePath) -> Result<(File, u32)> {
        let failed = |error| Error::io("reading", self.full(path), error);
        let fd = self
            .open_beneath(path.as_str(), OFlags::RDONLY | OFlags::NONBLOCK)
            .map_err(failed)?;
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            Ok((File::from(fd), stat.st_mode & 0o7777))
        } else {
            Err(Error::Changed {
                path: path.to_string(),
                change: "it is no longer a regular file",
            })
        }
    }

    /// What stands at `path` now.
    pub(crate) fn look(&self, path: &ReleasePath) -> Result<Found> {
        let folder = self.folder(path.parent().unwrap_or_default())?;
        look_at(folder.as_fd(), path.name()).map_err(|error| Error::io("looking at", self.full(path), error))
    }

    fn open_beneath(&self, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(
            &self.top,
            path,
            flags | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
            resolve,
        )
    }
}

/// What stands at `name` in `folder`, not followed.
pub(crate) fn look_at(
    folder: BorrowedFd<'_>,
    name: impl rustix::path::Arg + Copy,
) -> rustix::io::Result<Found> {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let mode = stat.st_mode & 0o7777;
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Found::File {
            size: stat.st_size.cast_unsigned(),
            mode,
        },
        FileType::Directory => Found::Directory { mode },
        FileType::Symlink => Found::Symlink {
            target: rustix::fs::readlinkat(folder, name, Vec::new())?.into_bytes(),
        },
        FileType::Fifo => Found::Other { kind: "a fifo" },
        FileType::Socket => Found::Other { kind: "a socket" },
        FileType::CharacterDevice => Found::Other {
            kind: "a character device",
        },
        FileType::BlockDevice => Found::Other {
            kind: "a block device",
        },
        FileType::Unknown => Found::Other {
            kind: "of an unknown type",
        },
    })
}
