//! What a release holds, file by file, and how two releases differ. It is read from manifests, so that it is what hosts
//! have.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::name::ReleaseLabel;

/// What stands at a path of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A folder.
    Folder,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
}

/// One row of a folder: a file, a link, or a folder with all that is below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReleaseFile {
    /// Its path in the release.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// Its permission bits on hosts, in octal: `644`.
    pub mode: String,
    /// Bytes of content; of a folder, of everything below it.
    pub size: u64,
    /// Files and links: 1, or as many as are below a folder.
    pub files: u64,
    /// SHA-256 of a file's content.
    pub sha256: Option<Digest>,
    /// Where a link leads.
    pub link: Option<String>,
}

/// What became of a path from one release to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileFate {
    /// Only the release that is looked at has it.
    Added,
    /// Only the one it is compared with has it.
    Removed,
    /// Both have it, with other content, mode or kind.
    Changed,
}

/// A path that is not the same in two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileChange {
    /// The path.
    pub path: String,
    /// What became of it.
    pub fate: FileFate,
    /// How it was in the release that is compared with.
    pub before: Option<ReleaseFile>,
    /// How it is in the release that is looked at.
    pub after: Option<ReleaseFile>,
}

/// How the files of a release differ from those of another. Folders are told by what stands in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReleaseDiff {
    /// The release that is looked at.
    pub release: ReleaseLabel,
    /// The release that it is compared with.
    pub against: ReleaseLabel,
    /// How many files and links were added.
    pub added: u64,
    /// How many were removed.
    pub removed: u64,
    /// How many were changed.
    pub changed: u64,
    /// Bytes of all files of the release that is compared with.
    pub bytes_before: u64,
    /// Bytes of all files of the release that is looked at.
    pub bytes_after: u64,
    /// The changes, by path.
    pub items: Vec<FileChange>,
    /// Pass it as `cursor` to get the next page; none on the last.
    pub next: Option<String>,
}

/// How the text of one file differs between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TextChange {
    /// The path.
    pub path: String,
    /// The unified diff; empty where the text is the same.
    pub unified: String,
}
