//! The trash of a root: releases set aside, kept for a while with their records, so that they can come back as they were.
//!
//! A release leaves by one rename and comes back by one; it is deleted only here, only out of the trash. A deletion that
//! died in the middle leaves a piece in the trash, under a name that nobody takes back; whoever takes something back
//! verifies it before.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use pointsman_shared::name::ReleaseFolder;
use rustix::fs::{FileType, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::releases::{manifest_name, shared_name};
use super::{Root, RootLock};
use crate::crash_point;
use crate::dir::FileError;

/// Begins the name of what is being deleted; with it, it is no release's name any more.
const PURGED: &str = "purged-";

/// Something in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discarded {
    /// What it is called there.
    pub name: String,
    /// The release it was; none = unfinished or foreign work.
    pub folder: Option<ReleaseFolder>,
    /// Since when it lies there, in seconds since the Unix epoch.
    pub since: i64,
}

impl Root {
    /// Everything in the trash, oldest first.
    pub fn trash(&self) -> Result<Vec<Discarded>, FileError> {
        let mut found = Vec::new();
        for name in self.trash.names()? {
            let (_, rest) = name.split_once('.').unwrap_or((&name, ""));
            let since = match rest.parse() {
                Ok(since) => since,
                // Set aside by an install: its rename is the last change of the folder itself.
                Err(_) => self.changed_at(&name)?,
            };
            found.push(Discarded {
                folder: release_of(&name),
                since,
                name: name.clone(),
            });
        }
        found.sort_by(|left, right| (left.since, &left.name).cmp(&(right.since, &right.name)));
        Ok(found)
    }

    /// The newest discarded copy of a release.
    pub fn newest_discarded(&self, folder: &ReleaseFolder) -> Result<Option<Discarded>, FileError> {
        let found = self.trash()?;
        Ok(found
            .into_iter()
            .rfind(|found| found.folder.as_ref() == Some(folder)))
    }

    /// Where something in the trash lies.
    pub fn discarded_path(&self, discarded: &Discarded) -> PathBuf {
        self.trash.path().join(&discarded.name)
    }

    fn changed_at(&self, name: &str) -> Result<i64, FileError> {
        let path = self.trash.path().join(name);
        let metadata = fs_err::symlink_metadata(&path);
        Ok(metadata
            .map_err(|error| FileError::new("look at", path, error))?
            .ctime())
    }

    /// Names of links in the root itself that lead into a release, slots or not: somebody may serve it through them.
    pub fn links_to(&self, folder: &ReleaseFolder) -> Result<Vec<String>, FileError> {
        let mut found = Vec::new();
        let into = self.release_path(folder);
        for name in self.dir.names()? {
            if self.dir.kind_of(&name)? != Some(FileType::Symlink) {
                continue;
            }
            let path = self.dir.path().join(&name);
            let Ok(text) = fs_err::read_link(&path) else {
                continue;
            };
            if self.dir.path().join(text).starts_with(&into) {
                found.push(name);
            }
        }
        Ok(found)
    }
}

impl RootLock {
    /// Sets a release aside at `now` (seconds since the Unix epoch); false = it is not there. Its record stays.
    pub fn discard(&self, folder: &ReleaseFolder, now: i64) -> Result<bool, FileError> {
        let (releases, trash) = (&self.root.releases, &self.root.trash);
        let name = format!("{folder}.{now}");
        match renameat_with(releases, folder.as_str(), trash, &name, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => {
                let path = releases.path().join(folder.as_str());
                return Err(FileError::new("set aside", path, error));
            }
        }
        crash_point!(C18);
        trash.sync()?;
        releases.sync()?;
        Ok(true)
    }

    /// Takes a discarded copy of a release, which the caller has verified, back to where it stood; false = it is gone, or
    /// something stands there.
    pub fn take_back(&self, folder: &ReleaseFolder, copy: &Discarded) -> Result<bool, FileError> {
        let (releases, trash) = (&self.root.releases, &self.root.trash);
        match renameat_with(
            trash,
            &copy.name,
            releases,
            folder.as_str(),
            RenameFlags::NOREPLACE,
        ) {
            Ok(()) => {}
            Err(Errno::EXIST | Errno::NOENT) => return Ok(false),
            Err(error) => {
                let path = trash.path().join(&copy.name);
                return Err(FileError::new("take back", path, error));
            }
        }
        releases.sync()?;
        trash.sync()?;
        Ok(true)
    }

    /// Deletes something out of the trash for good, and the record of its release when nothing else is left of it. It
    /// loses its name first, so that nobody takes back what a deletion that died left of it.
    pub fn purge(&self, discarded: &Discarded) -> Result<(), FileError> {
        let trash = &self.root.trash;
        let name = match &discarded.folder {
            Some(_) => format!("{PURGED}{}", discarded.name),
            None => discarded.name.clone(),
        };
        if name != discarded.name {
            match renameat_with(trash, &discarded.name, trash, &name, RenameFlags::NOREPLACE) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => {
                    let path = trash.path().join(&discarded.name);
                    return Err(FileError::new("rename for deletion", path, error));
                }
            }
            trash.sync()?;
        }
        // Before the deletion: one that died is ended later, and then it is this name that says whose record it was.
        if let Some(folder) = release_of(name.strip_prefix(PURGED).unwrap_or(&name)) {
            self.forget(&folder)?;
        }
        let path = trash.path().join(&name);
        make_deletable(&path)?;
        let removed = if path.is_dir() {
            fs_err::remove_dir_all(&path)
        } else {
            fs_err::remove_file(&path)
        };
        match removed {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(FileError::new("delete", path, error)),
        }
        trash.sync()
    }

    /// Removes the record of a release of which no copy can be used any more.
    fn forget(&self, folder: &ReleaseFolder) -> Result<(), FileError> {
        let stands = self.root.releases.kind_of(folder.as_str())?.is_some();
        let another = self
            .root
            .trash()?
            .iter()
            .any(|found| found.folder.as_ref() == Some(folder));
        if stands || another {
            return Ok(());
        }
        self.root.manifests.remove_file(&manifest_name(folder))?;
        self.root.manifests.remove_file(&shared_name(folder))
    }
}

/// The release that something in the trash is a copy of.
fn release_of(name: &str) -> Option<ReleaseFolder> {
    name.split_once('.')
        .map_or(name, |(folder, _)| folder)
        .parse()
        .ok()
}

/// An application may have taken its own rights away from folders inside its release.
fn make_deletable(path: &std::path::Path) -> Result<(), FileError> {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in walkdir::WalkDir::new(path).follow_links(false) {
        // What cannot be walked cannot be deleted either, and that error names the file.
        let Ok(entry) = entry else { continue };
        let Ok(metadata) = entry.metadata() else { continue };
        let mode = metadata.permissions().mode();
        if metadata.is_dir() && mode & 0o700 != 0o700 {
            let opened = std::fs::Permissions::from_mode(mode | 0o700);
            fs_err::set_permissions(entry.path(), opened)
                .map_err(|error| FileError::new("open for deletion", entry.path(), error))?;
        }
    }
    Ok(())
}
