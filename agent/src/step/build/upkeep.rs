//! What builds leave behind on a builder: mirrors of repositories and caches of projects. Those go that no build used for
//! long, by the coordinator's order; after each build what newer ones replace, and more where the disk is short.
//!
//! What a running build uses is never touched: it says so before it looks, and what goes is set aside under the same lock
//! before it is deleted. Nothing here is needed: a mirror is fetched again, a cache costs the next build time.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use pointsman_shared::outcome::{GoneFolder, WorkshopFolder};

use crate::config::WorkshopSection;

/// How long a mirror is spared even where the disk is short: fetching it again takes more than it frees.
const SPARED: Duration = Duration::from_hours(24);

/// Who uses what just now, by folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Users(Arc<Mutex<BTreeMap<PathBuf, usize>>>);

/// A folder is in use until this is dropped.
#[derive(Debug)]
pub(super) struct InUse {
    users: Users,
    folder: PathBuf,
}

impl Users {
    pub(super) fn of(&self, folder: PathBuf) -> InUse {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *used.entry(folder.clone()).or_default() += 1;
        drop(used);
        InUse {
            users: self.clone(),
            folder,
        }
    }
}

impl InUse {
    /// Says that it was used now.
    pub(super) fn used(&self, now: SystemTime) -> io::Result<()> {
        used_now(&self.folder, now)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut used = self.users.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = used.get_mut(&self.folder) {
            *count -= 1;
            if *count == 0 {
                used.remove(&self.folder);
            }
        }
    }
}

/// Says that a folder was used now; it is spared for as long as its kind is.
pub(super) fn used_now(folder: &Path, now: SystemTime) -> io::Result<()> {
    fs_err::File::open(folder)?.set_modified(now)
}

/// How much a collection takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// After a build: what makes room for it, the caches that newer ones replace, and more where the disk is short.
    Room,
    /// By order: also what no build used for long.
    Whole,
}

/// One that went, as a log says it.
pub(super) fn line(gone: &GoneFolder) -> String {
    let name: String = gone.name.chars().take(12).collect();
    format!(
        "{} {name} goes, {} bytes: {}",
        gone.kind.as_str(),
        gone.bytes,
        gone.reason
    )
}

/// A folder that may go.
#[derive(Debug, Clone)]
struct Candidate {
    kind: WorkshopFolder,
    path: PathBuf,
    /// The folder whose use spares it.
    spared_by: PathBuf,
    used_at: SystemTime,
    /// Its place among the caches of its project, the newest first.
    rank: usize,
}

/// The folders of a builder, as far as this collects them.
#[derive(Debug)]
pub(super) struct Upkeep<'a> {
    pub(super) folder: &'a Path,
    pub(super) users: &'a Users,
    pub(super) limits: &'a WorkshopSection,
    /// Free bytes of the disk.
    pub(super) free: &'a dyn Free,
}

/// Tells how much room there is.
pub(super) trait Free: fmt::Debug {
    fn bytes(&self) -> io::Result<u64>;
}

impl Upkeep<'_> {
    /// Deletes what is due, and then, while the disk is short, what was unused for longest.
    pub(super) fn collect(&self, reach: Reach, now: SystemTime) -> io::Result<Vec<GoneFolder>> {
        let mut collected = Vec::new();
        let mut left = Vec::new();
        for candidate in self.candidates()? {
            match self.due(&candidate, reach, now) {
                Some(reason) => collected.extend(self.take(&candidate, reason)?),
                None => left.push(candidate),
            }
        }
        // Caches before mirrors: builders have many of the first.
        left.sort_unstable_by_key(|candidate| (candidate.kind == WorkshopFolder::Mirror, candidate.used_at));
        for candidate in left {
            if self.free.bytes()? >= self.limits.disk_low_bytes {
                break;
            }
            if candidate.kind == WorkshopFolder::Mirror && age(&candidate, now) < SPARED {
                continue;
            }
            let words = format!(
                "the disk is short, and it was unused for {}",
                since(&candidate, now)
            );
            collected.extend(self.take(&candidate, words)?);
        }
        Ok(collected)
    }

    fn due(&self, candidate: &Candidate, reach: Reach, now: SystemTime) -> Option<String> {
        let (limit, most) = match candidate.kind {
            WorkshopFolder::Cache => (self.limits.cache_age(), self.limits.caches),
            WorkshopFolder::Mirror => (self.limits.mirror_age(), usize::MAX),
        };
        if candidate.rank >= most {
            return Some(format!("its project has {most} newer ones"));
        }
        (reach == Reach::Whole && age(candidate, now) > limit)
            .then(|| format!("unused for {}", since(candidate, now)))
    }

    fn candidates(&self) -> io::Result<Vec<Candidate>> {
        let mut all = Vec::new();
        for path in folders(&self.folder.join("mirrors"))? {
            all.push(Candidate {
                kind: WorkshopFolder::Mirror,
                used_at: fs_err::metadata(&path)?.modified()?,
                spared_by: path.clone(),
                path,
                rank: 0,
            });
        }
        for project in folders(&self.folder.join("caches"))? {
            let mut caches = Vec::new();
            for path in folders(&project)? {
                caches.push((fs_err::metadata(&path)?.modified()?, path));
            }
            caches.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
            let ranked = caches.into_iter().enumerate();
            all.extend(ranked.map(|(rank, (used_at, path))| Candidate {
                kind: WorkshopFolder::Cache,
                path,
                spared_by: project.clone(),
                used_at,
                rank,
            }));
        }
        Ok(all)
    }

    /// Sets a folder aside while nobody uses it, and deletes it; none where somebody does.
    fn take(&self, candidate: &Candidate, reason: String) -> io::Result<Option<GoneFolder>> {
        let name = candidate
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let going = self.folder.join("going");
        let aside = {
            let used = self.users.0.lock().unwrap_or_else(PoisonError::into_inner);
            if used.contains_key(&candidate.spared_by) {
                return Ok(None);
            }
            fs_err::create_dir_all(&going)?;
            let aside = going.join(&name);
            match fs_err::rename(&candidate.path, &aside) {
                Ok(()) => aside,
                // Another build's collection was first.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        };
        let bytes = bytes_of(&aside)?;
        fs_err::remove_dir_all(&aside)?;
        Ok(Some(GoneFolder {
            kind: candidate.kind,
            name,
            bytes,
            reason,
        }))
    }
}

fn age(candidate: &Candidate, now: SystemTime) -> Duration {
    now.duration_since(candidate.used_at).unwrap_or_default()
}

fn since(candidate: &Candidate, now: SystemTime) -> String {
    let hours = age(candidate, now).as_secs() / 3600;
    match hours {
        0..48 => format!("{hours} h"),
        _ => format!("{} d", hours / 24),
    }
}

/// The folders in a folder, in no order; what is being made there begins with a dot.
fn folders(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(parent)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// What a folder takes on the disk; a file that stands there twice counts twice.
fn bytes_of(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs_err::read_dir(next)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            bytes += metadata.blocks() * 512;
            if metadata.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    Ok(bytes)
}
