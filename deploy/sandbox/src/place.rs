//! DIR: the one folder in which everything of a sandbox lies, and who owns what in it.
//!
//! Nothing of a sandbox is written outside its place. The place refuses folders that hold somebody else's files and
//! folders that the unprivileged user cannot enter.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::user::RunAs;

/// The file that marks a folder as ours; the keeper holds a lock on it as long as the sandbox lives.
pub(crate) const LOCK: &str = "lock";

/// Takes the lock of a place for as long as the file stays open; false when a living sandbox holds it.
pub(crate) fn try_lock(lock: &File) -> bool {
    rustix::fs::flock(lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// The folder of one sandbox.
#[derive(Debug, Clone)]
pub struct Place {
    dir: PathBuf,
    run_as: RunAs,
    ephemeral: bool,
}

impl Place {
    /// Makes a folder of our own below the system's temporary folder; the keeper removes it at the end.
    pub fn temporary() -> Result<Self> {
        let run_as = RunAs::choose()?;
        let parent = std::env::temp_dir();
        let parent = if run_as.can_reach(&parent).is_ok() {
            parent
        } else {
            PathBuf::from("/tmp")
        };
        let dir = tempfile::Builder::new()
            .prefix("pointsman-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(&parent)
            .map_err(Error::io(format!("making a folder in {}", parent.display())))?
            .keep();
        let place = Self {
            dir,
            run_as,
            ephemeral: true,
        };
        place.prepare()?;
        Ok(place)
    }

    /// Uses `dir`, which must be new or empty; it stays at the end.
    pub fn at(dir: &Path) -> Result<Self> {
        let run_as = RunAs::choose()?;
        let dir = std::path::absolute(dir).map_err(Error::io(format!("finding {}", dir.display())))?;
        run_as.can_reach(&dir)?;
        fs_err::create_dir_all(&dir)?;
        let dir = fs_err::canonicalize(&dir)?;
        if fs_err::read_dir(&dir)?.next().is_some() {
            let why = match File::open(dir.join(LOCK)) {
                Ok(lock) if !try_lock(&lock) => "another sandbox lives in it; end that one first",
                Ok(_) => "it holds the files of an earlier sandbox; remove it or choose another folder",
                Err(_) => "it holds other files; choose a new or an empty folder",
            };
            return Err(Error::Taken {
                dir,
                why: why.to_owned(),
            });
        }
        let place = Self {
            dir,
            run_as,
            ephemeral: false,
        };
        place.prepare()?;
        Ok(place)
    }

    fn prepare(&self) -> Result<()> {
        // Passwords and tokens lie in it: it is nobody's business but the user's, and root's.
        fs_err::set_permissions(&self.dir, Permissions::from_mode(0o700))?;
        self.run_as.own(&self.dir)?;
        for folder in ["home", "tmp", "log"] {
            self.folder(folder)?;
        }
        self.write(LOCK, b"", 0o644)?;
        Ok(())
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A path inside.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.dir.join(relative)
    }

    /// Who runs the children.
    pub fn run_as(&self) -> &RunAs {
        &self.run_as
    }

    /// Whether the folder goes away with the sandbox.
    pub fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    /// Where the output of the process `name` goes.
    pub fn log(&self, name: &str) -> PathBuf {
        self.path("log").join(format!("{name}.log"))
    }

    /// Makes a folder (and those above it) that belongs to the children's user.
    pub fn folder(&self, relative: impl AsRef<Path>) -> Result<PathBuf> {
        let mut path = self.dir.clone();
        for part in relative.as_ref().components() {
            path.push(part);
            if !path.is_dir() {
                fs_err::create_dir(&path)?;
                fs_err::set_permissions(&path, Permissions::from_mode(0o755))?;
                self.run_as.own(&path)?;
            }
        }
        Ok(path)
    }

    /// Writes a whole file that belongs to the children's user; it never stands there half or with a wider mode.
    pub fn write(&self, relative: impl AsRef<Path>, bytes: &[u8], mode: u32) -> Result<PathBuf> {
        let path = self.dir.join(relative);
        let parent = path.parent().unwrap_or(&self.dir);
        let file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(parent)
            .map_err(Error::io(format!("making a file in {}", parent.display())))?;
        fs_err::write(file.path(), bytes)?;
        // The mask of the caller does not decide what the children may read.
        fs_err::set_permissions(file.path(), Permissions::from_mode(mode))?;
        self.run_as.own(file.path())?;
        file.persist(&path)
            .map_err(|error| Error::io(format!("writing {}", path.display()))(error.error))?;
        Ok(path)
    }
}
