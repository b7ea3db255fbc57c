//! An open folder. Everything the agent keeps durably is read and written relative to one, so that no path is resolved
//! twice and nobody can swap a folder for a link in between.
//!
//! It refuses to follow a symlink in the last part of any name, and a write is either durable or an error.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

/// Flags of every folder that is opened.
const FOLDER: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::RDONLY);

/// A file operation that failed; says which and where.
#[derive(Debug, thiserror::Error)]
#[error("{verb} {}", path.display())]
pub struct FileError {
    /// What was tried, as in "write".
    pub verb: &'static str,
    /// On what.
    pub path: PathBuf,
    /// The system's answer.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Wraps the system's answer.
    pub fn new(verb: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self {
            verb,
            path: path.into(),
            source: source.into(),
        }
    }

    /// Whether the disk or a quota is full.
    pub fn is_full(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// An open folder and the path it was opened by.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Dir {
    /// Opens a folder by its path.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let fd = rustix::fs::open(path, FOLDER, Mode::empty())
            .map_err(|e| FileError::new("open folder", path, e))?;
        Ok(Self {
            fd,
            path: path.to_owned(),
        })
    }

    /// Opens a folder in this one.
    pub fn open_dir(&self, name: &str) -> Result<Self, FileError> {
        let path = self.path.join(name);
        let fd = openat(&self.fd, name, FOLDER, Mode::empty())
            .map_err(|e| FileError::new("open folder", &path, e))?;
        Ok(Self { fd, path })
    }

    /// Opens a folder in this one, making it first when it is missing; a new one is durable when this returns.
    pub fn make_dir(&self, name: &str, mode: Mode) -> Result<Self, FileError> {
        match mkdirat(&self.fd, name, mode) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(FileError::new("make folder", self.path.join(name), error)),
        }
        self.open_dir(name)
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes what happened to its names durable.
    pub fn sync(&self) -> Result<(), FileError> {
        rustix::fs::fsync(&self.fd).map_err(|e| FileError::new("make durable", &self.path, e))
    }

    /// A file's bytes; none when there is no such file.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = match openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(FileError::new("read", self.path.join(name), error)),
        };
        let mut bytes = Vec::new();
        match std::fs::File::from(fd).read_to_end(&mut bytes) {
            Ok(_) => Ok(Some(bytes)),
            Err(error) => Err(FileError::new("read", self.path.join(name), error)),
        }
    }

    /// Puts a file in place of an older one: readers see the old bytes or the new ones, and after a crash too.
    /// Callers hold a lock; the temporary name is fixed so that a crash leaves at most one.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let temporary = format!(".{name}.new");
        self.remove_file(&temporary)?;
        let failed = |error: io::Error| FileError::new("write", self.path.join(name), error);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd =
            openat(&self.fd, &temporary, flags, Mode::RUSR | Mode::WUSR).map_err(|e| failed(e.into()))?;
        let mut file = std::fs::File::from(fd);
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        renameat(&self.fd, &temporary, &self.fd, name).map_err(|e| failed(e.into()))?;
        self.sync()
    }

    /// Removes a file or a link; a missing one is fine. Not durable by itself.
    pub fn remove_file(&self, name: &str) -> Result<(), FileError> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(FileError::new("remove", self.path.join(name), error)),
        }
    }

    /// What stands under a name, links not followed; none when nothing does.
    pub fn kind_of(&self, name: &str) -> Result<Option<rustix::fs::FileType>, FileError> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(rustix::fs::FileType::from_raw_mode(stat.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(FileError::new("look at", self.path.join(name), error)),
        }
    }

    /// The names in it, sorted; names that are not UTF-8 are left out, none of ours is.
    pub fn names(&self) -> Result<Vec<String>, FileError> {
        let failed = |e: Errno| FileError::new("list", &self.path, e);
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Ok(name) = entry.file_name().to_str()
                && name != "."
                && name != ".."
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_whole_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        assert!(dir.read("fence").unwrap().is_none());
        dir.replace("fence", b"one").unwrap();
        // What a crash may have left must not be in the way.
        fs_err::write(folder.path().join(".fence.new"), "half").unwrap();
        dir.replace("fence", b"two").unwrap();
        assert_eq!(dir.read("fence").unwrap().unwrap(), b"two");
        assert_eq!(dir.names().unwrap(), ["fence"]);
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("releases")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("fence")).unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        let error = dir.open_dir("releases").unwrap_err();
        assert!(error.to_string().ends_with("/releases"), "{error}");
        assert!(dir.read("fence").is_err());
    }
}
