//! Care for the files of a mirror: what a killed fetch left behind, and too many packs.
//!
//! Called only under the mirror's fetch lock, so whatever looks unfinished has no owner any more. This module
//! refuses to touch finished packs and refs.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// From this number of packs on, every look-up gets noticeably slower.
const MANY_PACKS: usize = 40;

/// Removes lock files and unfinished packs. What cannot be removed is left to `git` to complain about.
pub(crate) fn clear_leftovers(repository: &Path) {
    let mut leftovers = Vec::new();
    collect(repository, 0, &is_lock, &mut leftovers);
    collect(&repository.join("refs"), 32, &is_lock, &mut leftovers);
    collect(
        &repository.join("objects"),
        0,
        &|name| name.starts_with("tmp_") || name.starts_with("tmp-"),
        &mut leftovers,
    );
    let unfinished = |name: &str| is_lock(name) || name.starts_with("tmp_") || name.starts_with(".tmp-");
    collect(&repository.join("objects/pack"), 0, &unfinished, &mut leftovers);
    for path in leftovers {
        match remove(&path) {
            Ok(()) => tracing::info!(path = %path.display(), "removed what a killed fetch had left"),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "cannot remove what a killed fetch had left");
            }
        }
    }
}

fn is_lock(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|kind| kind == "lock")
}

fn collect(folder: &Path, depth: usize, matches: &dyn Fn(&str) -> bool, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(matches) {
            found.push(entry.path());
        } else if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), depth - 1, matches, found);
        }
    }
}

/// True if the mirror is worth a repack.
pub(crate) fn has_many_packs(repository: &Path) -> bool {
    let Ok(entries) = fs_err::read_dir(repository.join("objects/pack")) else {
        return false;
    };
    entries
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "pack"))
        .count()
        > MANY_PACKS
}

/// Removes a file or a whole folder; fine if it is not there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let result = match fs_err::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs_err::remove_dir_all(path),
        Ok(_) => fs_err::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::storage("clearing up")(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a small text file by rename, and only if it says something else.
pub(crate) fn replace(path: &Path, text: &str) -> Result<()> {
    if fs_err::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let fresh = path.with_extension("new");
    fs_err::write(&fresh, text)
        .and_then(|()| fs_err::rename(&fresh, path))
        .map_err(Error::storage("writing the git configuration"))
}
