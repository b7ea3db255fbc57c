//! A root, opened and judged once: whoever holds a [`Root`] need not ask again whether it is safe to write there.
//!
//! It refuses a root that others could change under us, that lies on a filesystem where a rename is not atomic for
//! everybody, or whose parts lie on different filesystems. It never makes the root itself: that is the operator's.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use pointsman_shared::name::{ReleaseFolder, RootPath};
use rustix::fs::{Mode, Stat, StatVfsMountFlags, fstat, fstatfs, fstatvfs};

use crate::dir::{Dir, FileError};

/// Filesystems whose files live elsewhere or in another program: locks and renames do not mean there what we need.
const REFUSED: [(u32, &str); 8] = [
    (0x6969, "NFS"),
    (0x6573_5546, "FUSE"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x517B, "SMB"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
];

/// Mode of what web servers must enter.
const OPEN: Mode = Mode::from_raw_mode(0o755);
/// Mode of what is ours alone.
const PRIVATE: Mode = Mode::from_raw_mode(0o700);

/// A root that is not used.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// It is not there.
    #[error(
        "the root {root} does not exist; make it on this host for the agent's user: `sudo install -d -o {agent} {root}`"
    )]
    Missing {
        /// The root.
        root: RootPath,
        /// Our user.
        agent: u32,
    },
    /// It belongs to somebody else.
    #[error(
        "the root {root} belongs to user {owner}, the agent runs as user {agent}: whoever owns it could swap what lies \
         in it; `chown {agent} {root}`"
    )]
    Owner {
        /// The root or one of its folders.
        root: String,
        /// Its owner.
        owner: u32,
        /// Our user.
        agent: u32,
    },
    /// Others may write to it.
    #[error("{root} has mode {mode:04o}: others could swap what lies in it; `chmod go-w {root}`")]
    Writable {
        /// The root or one of its folders.
        root: String,
        /// Its mode.
        mode: u32,
    },
    /// We may not even open it.
    #[error(
        "the agent's user {agent} may not open the root {root}; `chown {agent} {root} && chmod u+rwx {root}`, and let \
         it pass through the folders above"
    )]
    Denied {
        /// The root.
        root: RootPath,
        /// Our user.
        agent: u32,
    },
    /// We may not write to it ourselves.
    #[error("the agent may not work in {root}, which has mode {mode:04o}; `chmod u+rwx {root}`")]
    Closed {
        /// The root or one of its folders.
        root: String,
        /// Its mode.
        mode: u32,
    },
    /// Nobody may write to it.
    #[error(
        "the root {root} lies on a filesystem that is mounted read-only; mount it for writing once `dmesg` tells why \
         it is not"
    )]
    ReadOnly {
        /// The root.
        root: RootPath,
    },
    /// It is on a network filesystem.
    #[error(
        "the root {root} lies on {filesystem}, where a switch is not atomic; choose a folder on a local disk"
    )]
    Filesystem {
        /// The root.
        root: RootPath,
        /// The kind of filesystem.
        filesystem: &'static str,
    },
    /// One of its folders lies on another filesystem.
    #[error(
        "{folder} lies on another filesystem than its root, so nothing can be renamed into place; unmount it"
    )]
    Mounted {
        /// The folder.
        folder: String,
    },
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// An open root with its folders.
#[derive(Debug)]
pub struct Root {
    path: RootPath,
    pub(super) dir: Dir,
    pub(super) releases: Dir,
    pub(super) shared: Dir,
    pub(super) trash: Dir,
    pub(super) own: Dir,
    pub(super) manifests: Dir,
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

impl Root {
    /// Opens and judges a root, makes the folders that are missing in it, and refuses one that nobody can work in.
    pub fn open(path: &RootPath) -> Result<Self, RootError> {
        let root = Self::look(path)?;
        root.may_work()?;
        Ok(root)
    }

    /// The same for whoever only reads: what lies in a root that cannot be written to is worth telling.
    pub fn look(path: &RootPath) -> Result<Self, RootError> {
        let agent = rustix::process::geteuid().as_raw();
        let dir = Dir::open(Path::new(path.as_str())).map_err(|error| {
            let (root, kind) = (path.clone(), error.source.kind());
            if kind == std::io::ErrorKind::NotFound {
                RootError::Missing { root, agent }
            } else if kind == std::io::ErrorKind::PermissionDenied {
                RootError::Denied { root, agent }
            } else {
                RootError::File(error)
            }
        })?;
        let top = judge(&dir)?;
        check_filesystem(path, &dir)?;
        let root = Self {
            releases: dir.make_dir("releases", OPEN)?,
            shared: dir.make_dir("shared", OPEN)?,
            trash: dir.make_dir(".trash", PRIVATE)?,
            own: dir.make_dir(".pointsman", PRIVATE)?,
            manifests: dir
                .make_dir(".pointsman", PRIVATE)?
                .make_dir("manifests", PRIVATE)?,
            dir,
            path: path.clone(),
        };
        for folder in [&root.releases, &root.trash, &root.own, &root.manifests] {
            if judge(folder)?.st_dev != top.st_dev {
                return Err(RootError::Mounted {
                    folder: folder.path().display().to_string(),
                });
            }
        }
        Ok(root)
    }

    /// Whether installs, switches and collections can write where they must. The modes are read, not tried: the root is
    /// ours, so that its owner's rights are what counts.
    pub fn may_work(&self) -> Result<(), RootError> {
        for folder in [&self.dir, &self.releases, &self.trash, &self.own, &self.manifests] {
            let stat = fstat(folder).map_err(|e| FileError::new("look at", folder.path(), e))?;
            if stat.st_mode & 0o700 != 0o700 {
                return Err(RootError::Closed {
                    root: folder.path().display().to_string(),
                    mode: stat.st_mode & 0o7777,
                });
            }
        }
        let stat = fstatvfs(&self.dir).map_err(|e| FileError::new("look at", self.dir.path(), e))?;
        if stat.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Err(RootError::ReadOnly {
                root: self.path.clone(),
            });
        }
        Ok(())
    }

    /// Its path.
    pub const fn path(&self) -> &RootPath {
        &self.path
    }

    /// The folder of a release.
    pub fn release_path(&self, folder: &ReleaseFolder) -> std::path::PathBuf {
        self.releases.path().join(folder.as_str())
    }

    /// Where `shared` lies.
    pub fn shared(&self) -> &Dir {
        &self.shared
    }

    /// Where unfinished and finished releases lie.
    pub fn releases(&self) -> &Dir {
        &self.releases
    }

    /// A private folder for commands that want a home, made when missing.
    pub fn home(&self) -> Result<Dir, FileError> {
        self.own.make_dir("home", PRIVATE)
    }

    /// Free bytes and free inodes for us on the root's filesystem; filesystems without a fixed number of inodes report
    /// as many as there can be.
    pub fn free(&self) -> Result<(u64, u64), FileError> {
        let stat = fstatvfs(&self.dir).map_err(|e| FileError::new("look at", self.dir.path(), e))?;
        let inodes = if stat.f_files == 0 {
            u64::MAX
        } else {
            stat.f_favail
        };
        Ok((stat.f_bavail.saturating_mul(stat.f_frsize), inodes))
    }

    /// All bytes of the root's filesystem, those kept from us too.
    pub fn size(&self) -> Result<u64, FileError> {
        let stat = fstatvfs(&self.dir).map_err(|e| FileError::new("look at", self.dir.path(), e))?;
        Ok(stat.f_blocks.saturating_mul(stat.f_frsize))
    }
}

fn judge(dir: &Dir) -> Result<Stat, RootError> {
    let stat = fstat(dir).map_err(|e| FileError::new("look at", dir.path(), e))?;
    let agent = rustix::process::geteuid().as_raw();
    let root = || dir.path().display().to_string();
    if stat.st_uid != agent {
        return Err(RootError::Owner {
            root: root(),
            owner: stat.st_uid,
            agent,
        });
    }
    if stat.st_mode & 0o022 != 0 {
        return Err(RootError::Writable {
            root: root(),
            mode: stat.st_mode & 0o7777,
        });
    }
    Ok(stat)
}

fn check_filesystem(path: &RootPath, dir: &Dir) -> Result<(), RootError> {
    let stat = fstatfs(dir).map_err(|e| FileError::new("look at", dir.path(), e))?;
    // The kernel's numbers are 32 bits wide, the field is wider and signed.
    let kind = u32::try_from(stat.f_type & 0xFFFF_FFFF).unwrap_or(0);
    match REFUSED.iter().find(|(magic, _)| *magic == kind) {
        Some((_, filesystem)) => Err(RootError::Filesystem {
            root: path.clone(),
            filesystem,
        }),
        None => Ok(()),
    }
}
