//! What can go wrong, in one place, so that every refusal reads the same: what was found, where, why it cannot be
//! accepted and what to do about it.
//!
//! A full disk is its own variant, because it is the operator's to mend and says nothing about the release. This
//! module refuses to hide which path was meant: no variant carries a bare `io::Error`.

use std::io;
use std::path::{Path, PathBuf};

use pointsman_shared::digest::Digest;
use rustix::io::Errno;

use crate::path::PathFault;
use crate::verify::Differences;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a tree could not be listed, packed, unpacked or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that a release may not contain.
    #[error("`{path}` cannot be part of a release: {fault}; rename or exclude it")]
    InvalidPath {
        /// The refused path, control characters escaped.
        path: String,
        /// The broken rule.
        fault: PathFault,
    },
    /// A fifo, socket or device in a built tree.
    #[error(
        "`{path}` is {kind}; a release holds files, folders and symbolic links only: remove or exclude it"
    )]
    UnsupportedFile {
        /// Path below the scanned folder.
        path: String,
        /// What it is, in words.
        kind: &'static str,
    },
    /// A link that points out of the release, by its text or through other links.
    #[error(
        "link `{path}` -> `{target}` {how}; a release is moved from machine to machine, \
         so make the link relative and keep its target inside, or list the path under [release] shared"
    )]
    LinkLeaves {
        /// Path of the link.
        path: String,
        /// The text of the link.
        target: String,
        /// How it leaves.
        how: &'static str,
    },
    /// A link text that cannot be kept.
    #[error("the text of link `{path}` {fault}; make the link anew")]
    InvalidLink {
        /// Path of the link.
        path: String,
        /// What is wrong with its text.
        fault: &'static str,
    },
    /// Something stands where a shared link will be put on the hosts.
    #[error(
        "`{path}` is in the way of the shared path `{shared}`, which every host links to its own copy; \
         remove it from the tree, exclude it, or take `{shared}` out of [release] shared"
    )]
    SharedConflict {
        /// The path in the manifest.
        path: String,
        /// The shared path.
        shared: String,
    },
    /// A glob that cannot be read.
    #[error("include pattern `{pattern}` {fault}; write it relative to the top folder, such as `dist/**`")]
    InvalidPattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A glob without a single hit: a release without these files would be broken in silence.
    #[error(
        "include pattern `{pattern}` matches nothing; build what it names or remove the pattern \
         (links to folders are not followed)"
    )]
    NothingMatches {
        /// The pattern as given.
        pattern: String,
    },
    /// A manifest or packing that is not JSON of the known shape.
    #[error("the {document} cannot be read; it is damaged or was not written by this program")]
    Unreadable {
        /// `manifest` or `packing`.
        document: &'static str,
        /// The parser's word.
        #[source]
        source: serde_json::Error,
    },
    /// A manifest or packing written by a later version.
    #[error("the {document} has version {found}, this program reads version {known}; upgrade this program")]
    UnknownVersion {
        /// `manifest` or `packing`.
        document: &'static str,
        /// The version found.
        found: u64,
        /// The version that can be read.
        known: u64,
    },
    /// The right content in other bytes than the canonical ones, which would have another digest.
    #[error(
        "the {document} is not in its canonical form (spaces, order of fields or escapes differ); build it again"
    )]
    NotCanonical {
        /// `manifest` or `packing`.
        document: &'static str,
    },
    /// An entry that cannot stand where it stands.
    #[error("manifest entry `{path}` {fault}; the manifest is refused, build the release again")]
    InvalidEntry {
        /// Path of the entry.
        path: String,
        /// What is wrong.
        fault: &'static str,
    },
    /// A packing that contradicts itself or its manifest.
    #[error("the packing is refused: {fault}; pack the release again")]
    InvalidPacking {
        /// What is wrong.
        fault: String,
    },
    /// A tree that changed between listing and packing.
    #[error(
        "`{path}` changed while the release was packed: {change}; make sure that no build process still runs"
    )]
    Changed {
        /// Path below the packed folder.
        path: String,
        /// What differs.
        change: &'static str,
    },
    /// More than this host accepts.
    #[error(
        "the release has {actual} {unit}, more than the {limit} allowed here; raise the limit or make it smaller"
    )]
    TooLarge {
        /// `entries` or `bytes`.
        unit: &'static str,
        /// What the manifest says.
        actual: u64,
        /// What is allowed.
        limit: u64,
    },
    /// An archive of the wrong length; nothing was unpacked.
    #[error("archive {} has {actual} bytes instead of {expected}; fetch it again", path.display())]
    ArchiveSize {
        /// The archive.
        path: PathBuf,
        /// Bytes by the packing.
        expected: u64,
        /// Bytes found.
        actual: u64,
    },
    /// An archive with other bytes; nothing was unpacked.
    #[error("archive {} has digest {actual} instead of {expected}; fetch it again", path.display())]
    ArchiveDigest {
        /// The archive.
        path: PathBuf,
        /// Digest by the packing.
        expected: Digest,
        /// Digest found.
        actual: Digest,
    },
    /// An archive that does not hold exactly what packing and manifest say.
    #[error("the archive is refused: member {member} {fault}; throw it away and build the release again")]
    Refused {
        /// Which gzip member, counted from 1.
        member: usize,
        /// What was found instead of what.
        fault: String,
    },
    /// A folder to unpack into that others may have used.
    #[error("cannot unpack into {}: {fault}; name a folder that does not exist yet", path.display())]
    NotFresh {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// An installed tree that differs from its manifest.
    #[error("{} is not what its manifest says: {differences}", path.display())]
    Differs {
        /// The verified folder.
        path: PathBuf,
        /// The first differences and their number.
        differences: Differences,
    },
    /// The caller asked to stop.
    #[error("stopped on request")]
    Stopped,
    /// No room, or the quota is used up.
    #[error("no space left while {action} {}; free some space and try again", path.display())]
    DiskFull {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Anything else the file system said.
    #[error("{action} {} failed", path.display())]
    Io {
        /// What was being done, as in `reading`.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Tells a full disk from other failures of `action` on `path`.
    pub(crate) fn io(action: &'static str, path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        let path = path.as_ref().to_path_buf();
        let source = source.into();
        let full = [Errno::NOSPC, Errno::DQUOT].map(|errno| Some(errno.raw_os_error()));
        if full.contains(&source.raw_os_error()) {
            Self::DiskFull { action, path, source }
        } else {
            Self::Io { action, path, source }
        }
    }
}
