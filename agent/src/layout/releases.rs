//! The releases of a root: their records, their final names, their trash.
//!
//! A release is complete when it bears its final name, and it gets that name only after its manifest lies durably beside
//! it. There is no other mark of completeness. Nothing here deletes a release; see `trash` for those set aside.

use pointsman_archive::Manifest;
use pointsman_shared::digest::Digest;
use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::recipe::SharedPath;
use rustix::fs::{FileType, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::{Root, RootLock};
use crate::crash_point;
use crate::dir::{Dir, FileError};

/// A release that cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// Its folder is not there.
    #[error("release {folder} is not installed in {root}; install it first")]
    Missing {
        /// The release.
        folder: ReleaseFolder,
        /// The root.
        root: String,
    },
    /// Its record is missing or cannot be read.
    #[error("release {folder} in {root} has no readable record ({reason}); install it again")]
    Unrecorded {
        /// The release.
        folder: ReleaseFolder,
        /// The root.
        root: String,
        /// What is wrong with the record.
        reason: String,
    },
    /// Its record is of another release.
    #[error("release {folder} in {root} is recorded with digest {found}, not {wanted}; install it again")]
    OtherDigest {
        /// The release.
        folder: ReleaseFolder,
        /// The root.
        root: String,
        /// The digest of the recorded manifest.
        found: Digest,
        /// The digest that was asked for.
        wanted: Digest,
    },
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// How something in the trash is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trash(pub String);

pub(super) fn manifest_name(folder: &ReleaseFolder) -> String {
    format!("{folder}.json")
}

pub(super) fn shared_name(folder: &ReleaseFolder) -> String {
    format!("{folder}.shared.json")
}

impl Root {
    /// The complete releases, sorted: folders with a final name and a recorded manifest.
    pub fn complete_releases(&self) -> Result<Vec<ReleaseFolder>, FileError> {
        let recorded = self.manifests.names()?;
        let complete = |folder: &ReleaseFolder| recorded.binary_search(&manifest_name(folder)).is_ok();
        let names = self.releases.names()?;
        let mut releases: Vec<_> = names
            .iter()
            .filter_map(|name| name.parse().ok())
            .filter(complete)
            .collect();
        releases.sort_unstable();
        Ok(releases)
    }

    /// The recorded manifest of a release and its shared paths; checks that they are this release's.
    pub fn release_record(
        &self,
        folder: &ReleaseFolder,
    ) -> Result<(Manifest, Vec<SharedPath>), ReleaseError> {
        let (bytes, _) = self.manifest_bytes(folder)?;
        let manifest = Manifest::parse(&bytes).map_err(|error| self.unrecorded(folder, error.to_string()))?;
        Ok((manifest, self.recorded_shared(folder)?))
    }

    /// Whether a release may be pointed at: its folder is there and its record is its own. Files are not read again.
    pub fn check_release(&self, folder: &ReleaseFolder) -> Result<Digest, ReleaseError> {
        if self.releases.kind_of(folder.as_str())? != Some(FileType::Directory) {
            return Err(ReleaseError::Missing {
                folder: folder.clone(),
                root: self.path().to_string(),
            });
        }
        self.recorded_shared(folder)?;
        Ok(self.manifest_bytes(folder)?.1)
    }

    /// The recorded bytes and their digest, which the folder's name must end with.
    fn manifest_bytes(&self, folder: &ReleaseFolder) -> Result<(Vec<u8>, Digest), ReleaseError> {
        let bytes = self.recorded(folder, &manifest_name(folder))?;
        let digest = Digest::of(&bytes);
        if folder.as_str().ends_with(&format!("-{}", digest.short())) {
            return Ok((bytes, digest));
        }
        Err(self.unrecorded(folder, format!("it is the record of digest {digest}")))
    }

    fn recorded_shared(&self, folder: &ReleaseFolder) -> Result<Vec<SharedPath>, ReleaseError> {
        let bytes = self.recorded(folder, &shared_name(folder))?;
        serde_json::from_slice(&bytes).map_err(|error| self.unrecorded(folder, error.to_string()))
    }

    fn recorded(&self, folder: &ReleaseFolder, name: &str) -> Result<Vec<u8>, ReleaseError> {
        let missing = || self.unrecorded(folder, format!("there is no .pointsman/manifests/{name}"));
        self.manifests.read(name)?.ok_or_else(missing)
    }

    fn unrecorded(&self, folder: &ReleaseFolder, reason: String) -> ReleaseError {
        ReleaseError::Unrecorded {
            folder: folder.clone(),
            root: self.path().to_string(),
            reason,
        }
    }

    /// Like [`Root::check_release`], and it must be exactly the release with this digest.
    pub fn require_release(&self, folder: &ReleaseFolder, wanted: &Digest) -> Result<(), ReleaseError> {
        let found = self.check_release(folder)?;
        if found == *wanted {
            return Ok(());
        }
        let root = self.path().to_string();
        Err(ReleaseError::OtherDigest {
            folder: folder.clone(),
            root,
            found,
            wanted: *wanted,
        })
    }
}

impl RootLock {
    /// Gives the finished tree `name` in `work` (a folder inside `releases/`) its final name. Its record is durable
    /// before that, the name when this returns. A release of that name that stands already is exchanged in one step,
    /// so that a link to it never dangles, and goes to the trash; the caller has found it wanting.
    pub fn publish(
        &self,
        work: &Dir,
        name: &str,
        folder: &ReleaseFolder,
        manifest: &Manifest,
        shared: &[SharedPath],
    ) -> Result<Option<Trash>, FileError> {
        let releases = &self.root.releases;
        let path = || releases.path().join(folder.as_str());
        let shared = serde_json::to_vec(shared)
            .map_err(|error| FileError::new("record", path(), std::io::Error::other(error)))?;
        self.root.manifests.replace(&shared_name(folder), &shared)?;
        self.root
            .manifests
            .replace(&manifest_name(folder), &manifest.canonical_bytes())?;
        crash_point!(C10);
        let exchanged = match renameat_with(work, name, releases, folder.as_str(), RenameFlags::NOREPLACE) {
            Ok(()) => false,
            Err(Errno::EXIST) => {
                renameat_with(work, name, releases, folder.as_str(), RenameFlags::EXCHANGE)
                    .map_err(|error| FileError::new("replace", path(), error))?;
                true
            }
            Err(error) => return Err(FileError::new("rename to", path(), error)),
        };
        releases.sync()?;
        crash_point!(C11);
        if !exchanged {
            return Ok(None);
        }
        let trash = Trash(format!(
            "{folder}.{}",
            work.path().file_name().unwrap_or_default().to_string_lossy()
        ));
        renameat_with(work, name, &self.root.trash, &trash.0, RenameFlags::NOREPLACE)
            .map_err(|error| FileError::new("set aside", path(), error))?;
        self.root.trash.sync()?;
        Ok(Some(trash))
    }
}
