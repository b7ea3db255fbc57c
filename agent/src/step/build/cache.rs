//! Folders that are kept between builds of a project, such as `node_modules`.
//!
//! A cache is named by the contents of the files in `cache_key`; restoring copies it, so that a failing build cannot
//! spoil it, and saving moves the folders out of the finished build, so that a cache appears whole or not at all. A
//! cache is never needed: whatever goes wrong with one costs time, not the build. How long one stays, [`super::upkeep`] says.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pointsman_archive::ReleasePath;
use pointsman_shared::digest::Digest;
use pointsman_shared::recipe::BuildRecipe;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::upkeep::used_now;

/// The caches of one project, and which of them this build uses.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    caches: PathBuf,
    key: String,
    folders: Vec<ReleasePath>,
}

impl Cache {
    /// The cache for what was checked out to `source`.
    pub(super) fn of(
        caches: PathBuf,
        recipe: &BuildRecipe,
        source: &Path,
    ) -> Result<Self, pointsman_archive::Error> {
        let folders = paths(&recipe.cache)?;
        let mut named = String::new();
        for path in paths(&recipe.cache_key)? {
            // A missing file is a content like any other: the key changes when it appears.
            let content = fs_err::read(source.join(path.as_str()))
                .ok()
                .map(|bytes| Digest::of(&bytes).to_string());
            named.extend([path.as_str(), "\n", content.as_deref().unwrap_or_default(), "\n"]);
        }
        Ok(Self {
            caches,
            key: Digest::of(named.as_bytes()).to_string(),
            folders,
        })
    }

    /// Copies the kept folders into the checkout; says how many there were. What the repository itself holds stays.
    pub(super) fn restore(&self, source: &Path, stop: &dyn Fn() -> bool) -> io::Result<usize> {
        let cache = self.caches.join(&self.key);
        let mut restored = 0;
        for folder in &self.folders {
            let (from, to) = (cache.join(folder.as_str()), source.join(folder.as_str()));
            if !from.is_dir() || fs_err::symlink_metadata(&to).is_ok() {
                continue;
            }
            if let Some(parent) = to.parent() {
                fs_err::create_dir_all(parent)?;
            }
            if let Err(error) = copy(&from, &to, stop) {
                fs_err::remove_dir_all(&to)?;
                return Err(error);
            }
            restored += 1;
        }
        Ok(restored)
    }

    /// Says that it was used now, where it is there: it is spared for as long as unused ones are.
    pub(super) fn used(&self, now: SystemTime) -> io::Result<()> {
        match used_now(&self.caches.join(&self.key), now) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            used => used,
        }
    }

    /// Moves the folders out of the finished build and makes them the cache, in one step.
    pub(super) fn save(&self, source: &Path, name: &str) -> io::Result<()> {
        let making = self.caches.join(format!(".new-{name}"));
        fs_err::create_dir_all(&making)?;
        for folder in &self.folders {
            let (from, to) = (source.join(folder.as_str()), making.join(folder.as_str()));
            if !fs_err::symlink_metadata(&from).is_ok_and(|metadata| metadata.is_dir()) {
                continue;
            }
            if let Some(parent) = to.parent() {
                fs_err::create_dir_all(parent)?;
            }
            fs_err::rename(&from, &to)?;
        }
        let kept = self.caches.join(&self.key);
        match renameat_with(CWD, &making, CWD, &kept, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                renameat_with(CWD, &making, CWD, &kept, RenameFlags::EXCHANGE)?;
                fs_err::remove_dir_all(&making)?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Paths of a recipe, judged again: this host does not trust them to stay inside the checkout.
pub(super) fn paths(texts: &[String]) -> Result<Vec<ReleasePath>, pointsman_archive::Error> {
    texts
        .iter()
        .map(|text| ReleasePath::new(text.trim_end_matches('/')))
        .collect()
}

/// Copies a folder with its files, folders and links; links are copied as they are, anything else is left out.
fn copy(from: &Path, to: &Path, stop: &dyn Fn() -> bool) -> io::Result<()> {
    fs_err::create_dir(to)?;
    for entry in fs_err::read_dir(from)? {
        if stop() {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "stopped on request"));
        }
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target, stop)?;
        } else if kind.is_symlink() {
            fs_err::os::unix::fs::symlink(fs_err::read_link(entry.path())?, &target)?;
        } else if kind.is_file() {
            fs_err::copy(entry.path(), &target)?;
        }
    }
    fs_err::set_permissions(to, fs_err::symlink_metadata(from)?.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> BuildRecipe {
        BuildRecipe {
            steps: Vec::new(),
            cache: vec!["node_modules/".to_owned(), "deep/er".to_owned()],
            cache_key: vec!["package-lock.json".to_owned()],
            include: Vec::new(),
            timeout_s: 1,
            silence_timeout_s: 1,
            submodules: false,
        }
    }

    /// A checkout with this lock file.
    fn source(folder: &Path, name: &str, lock: &str) -> PathBuf {
        let source = folder.join(name);
        fs_err::create_dir_all(&source).unwrap();
        fs_err::write(source.join("package-lock.json"), lock).unwrap();
        source
    }

    #[test]
    fn a_cache_returns_for_the_same_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let first = source(folder.path(), "first", "1");
        fs_err::create_dir_all(first.join("node_modules/.bin")).unwrap();
        fs_err::create_dir_all(first.join("deep/er")).unwrap();
        fs_err::write(first.join("node_modules/a"), "a").unwrap();
        fs_err::os::unix::fs::symlink("../a", first.join("node_modules/.bin/a")).unwrap();
        let caches = folder.path().join("caches");
        Cache::of(caches.clone(), &recipe(), &first)
            .unwrap()
            .save(&first, "1")
            .unwrap();

        let same = source(folder.path(), "same", "1");
        let cache = Cache::of(caches.clone(), &recipe(), &same).unwrap();
        assert_eq!(cache.restore(&same, &|| false).unwrap(), 2);
        assert_eq!(fs_err::read(same.join("node_modules/.bin/a")).unwrap(), b"a");
        // What a build does to its copy does not reach the cache.
        fs_err::write(same.join("node_modules/a"), "spoiled").unwrap();
        let again = source(folder.path(), "again", "1");
        assert_eq!(cache.restore(&again, &|| false).unwrap(), 2);
        assert_eq!(fs_err::read(again.join("node_modules/a")).unwrap(), b"a");

        let other = source(folder.path(), "other", "2");
        assert_eq!(
            Cache::of(caches, &recipe(), &other)
                .unwrap()
                .restore(&other, &|| false)
                .unwrap(),
            0
        );
    }

    #[test]
    fn a_stopped_restore_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let caches = folder.path().join("caches");
        let build = source(folder.path(), "first", "1");
        fs_err::create_dir(build.join("node_modules")).unwrap();
        fs_err::write(build.join("node_modules/a"), "1").unwrap();
        let cache = Cache::of(caches, &recipe(), &build).unwrap();
        cache.save(&build, "1").unwrap();
        let build = source(folder.path(), "stopped", "1");
        assert!(cache.restore(&build, &|| true).is_err());
        assert!(!build.join("node_modules").exists());
    }

    #[test]
    fn paths_that_leave_the_checkout_are_refused() {
        let outside = BuildRecipe {
            cache: vec!["../other".to_owned()],
            ..recipe()
        };
        assert!(Cache::of(PathBuf::new(), &outside, Path::new("/")).is_err());
    }
}
