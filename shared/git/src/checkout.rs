//! Checkout: the tree of a commit as files, byte for byte as git stores them.
//!
//! Executable bits and link texts are kept, attributes and filters are not applied (no line endings, no LFS, no
//! `export-ignore`), a gitlink becomes an empty folder, times are the present. First all folders, then all files
//! (a few threads, each with its own libgit2 repository), links last: nothing is ever written through a link.
//! Every entry must be new, so an entry that stands twice in a damaged tree is an error. This module refuses to
//! write into a folder that holds anything, and leaves it as it was if it fails.

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use git2::Repository;
use pointsman_shared::repository::CommitId;

use crate::error::{Error, Result};
use crate::mirror::Mirror;
use crate::plan::{Executable, Gitlink, Plan, Planned, unusable};
use crate::process::Stop;
use crate::renewal::Fault;
use crate::upkeep;

/// Files that a thread takes at once: neighbours share deltas, so not too few.
const BATCH: usize = 128;

/// How a checkout is done.
#[derive(Debug, Clone)]
pub struct CheckoutOptions {
    /// Only this folder of the repository; its contents become the contents of the destination.
    pub subdirectory: Option<String>,
    /// Threads that write, at least 1.
    pub threads: usize,
}

impl Default for CheckoutOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(4));
        Self {
            subdirectory: None,
            threads,
        }
    }
}

/// What a checkout wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedOut {
    /// Regular files.
    pub files: usize,
    /// Symbolic links.
    pub links: usize,
    /// Folders, those of gitlinks included.
    pub folders: usize,
    /// Gitlinks (submodules), which are empty folders now; [`Mirror::checkout_submodules`] fills them.
    pub gitlinks: Vec<Gitlink>,
    /// Bytes of all regular files.
    pub bytes: u64,
}

impl Mirror {
    /// Writes the tree of `commit` to `destination`, which must be new or an empty folder.
    pub fn checkout(
        &self,
        commit: &CommitId,
        destination: &Path,
        options: &CheckoutOptions,
    ) -> Result<CheckedOut> {
        let existed = prepare(destination)?;
        let stop = &self.transport.stop;
        let result = self.read(|repository| {
            let written = Writer {
                commit,
                destination,
                stop,
            }
            .write(repository, options);
            if written.is_err() {
                empty(destination)?;
            }
            written
        });
        if result.is_err() && !existed {
            upkeep::remove(destination)?;
        }
        result
    }
}

/// Makes the destination; true if it was there already.
fn prepare(destination: &Path) -> Result<bool> {
    let io = || Error::storage("preparing the folder of a checkout");
    match fs_err::symlink_metadata(destination) {
        Ok(metadata) if metadata.is_dir() => {
            if fs_err::read_dir(destination).map_err(io())?.next().is_some() {
                let source = std::io::Error::new(std::io::ErrorKind::DirectoryNotEmpty, "it is not empty");
                return Err(Error::Storage {
                    what: format!("checking out to {}", destination.display()),
                    source,
                });
            }
            Ok(true)
        }
        Ok(_) => {
            let source = std::io::Error::new(std::io::ErrorKind::NotADirectory, "it is not a folder");
            Err(Error::Storage {
                what: format!("checking out to {}", destination.display()),
                source,
            })
        }
        Err(_) => fs_err::create_dir_all(destination).map(|()| false).map_err(io()),
    }
}

fn empty(folder: &Path) -> Result<()> {
    for entry in fs_err::read_dir(folder)
        .map_err(Error::storage("clearing a failed checkout"))?
        .flatten()
    {
        upkeep::remove(&entry.path())?;
    }
    Ok(())
}

/// What all threads of a checkout share.
struct Writer<'a> {
    commit: &'a CommitId,
    destination: &'a Path,
    stop: &'a Stop,
}

impl Writer<'_> {
    fn write(&self, repository: &Repository, options: &CheckoutOptions) -> Result<CheckedOut, Fault> {
        let mut plan = Plan::of(repository, self.commit, options.subdirectory.as_deref())?;
        plan.files.sort_unstable_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        for folder in &plan.folders {
            let made = fs_err::create_dir(self.destination.join(folder));
            made.map_err(|source| self.not_written(folder, source))?;
        }
        let bytes = self.write_files(repository.path(), &plan.files, options.threads.max(1))?;
        for link in &plan.links {
            self.write_link(repository, link)?;
        }
        Ok(CheckedOut {
            files: plan.files.len(),
            links: plan.links.len(),
            folders: plan.folders.len(),
            gitlinks: plan.gitlinks,
            bytes,
        })
    }

    /// Writes all files and returns their bytes; the first fault ends all threads.
    fn write_files(
        &self,
        path: &Path,
        files: &[(Planned, Executable)],
        threads: usize,
    ) -> Result<u64, Fault> {
        let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
        let failed = Stop::default();
        let work = || -> Result<(), Fault> {
            let repository = Repository::open_bare(path)?;
            loop {
                let batch = next.fetch_add(1, Ordering::Relaxed) * BATCH;
                if batch >= files.len() || failed.is_requested() {
                    return Ok(());
                }
                for (file, executable) in &files[batch..files.len().min(batch + BATCH)] {
                    self.stop.check()?;
                    bytes.fetch_add(
                        self.write_file(&repository, file, *executable)?,
                        Ordering::Relaxed,
                    );
                }
            }
        };
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads.min(files.len() / BATCH + 1))
                .map(|_| scope.spawn(|| work().inspect_err(|_| failed.request())))
                .collect();
            let ended = running.into_iter().map(|thread| {
                let died = |_| Fault::Git(git2::Error::from_str("a thread of the checkout died"));
                thread.join().map_err(died).and_then(|result| result)
            });
            ended
                .collect::<Vec<_>>()
                .into_iter()
                .collect::<Result<(), Fault>>()
        })?;
        Ok(bytes.into_inner())
    }

    fn write_file(
        &self,
        repository: &Repository,
        file: &Planned,
        executable: Executable,
    ) -> Result<u64, Fault> {
        let blob = repository.find_blob(file.blob)?;
        let mode = match executable {
            Executable::Yes => 0o755,
            Executable::No => 0o644,
        };
        let written = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(self.destination.join(&file.path))
            .and_then(|mut opened| {
                opened.write_all(blob.content())?;
                // The umask may have taken bits away.
                opened.set_permissions(std::fs::Permissions::from_mode(mode))
            });
        written.map_err(|source| self.not_written(&file.path, source))?;
        Ok(blob.size() as u64)
    }

    fn write_link(&self, repository: &Repository, link: &Planned) -> Result<(), Fault> {
        let blob = repository.find_blob(link.blob)?;
        let text = blob.content();
        if text.is_empty() || text.contains(&0) {
            let why = "the text of a link may not be empty or hold a zero byte";
            return Err(unusable(self.commit, link.path.as_bytes(), why).into());
        }
        let target = Path::new(std::ffi::OsStr::from_bytes(text));
        symlink(target, self.destination.join(&link.path))
            .map_err(|source| self.not_written(&link.path, source).into())
    }

    fn not_written(&self, path: &str, source: std::io::Error) -> Error {
        let refused = |why| unusable(self.commit, path.as_bytes(), why);
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            return refused("it stands twice in the tree");
        }
        if source.kind() == std::io::ErrorKind::InvalidFilename {
            return refused("its name is too long");
        }
        Error::Storage {
            what: format!("writing {path:?} to {}", self.destination.display()),
            source,
        }
    }
}
