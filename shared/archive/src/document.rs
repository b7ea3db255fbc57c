//! The exact bytes of the two signed documents, manifest and packing.
//!
//! Each is compact JSON with a version and one spelling only. Reading is strict: unknown or repeated fields, other
//! versions, spaces, another order of fields or another escape of the same text are refused, because a document that
//! can be spelled in two ways has two digests. A new field is a new version.

use pointsman_shared::digest::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::manifest::{Entry, Kind, Manifest};
use crate::packing::{Member, Packing};
use crate::path::ReleasePath;

/// The version of both documents that this program writes and reads.
const VERSION: u64 = 1;

/// Only the version: read first, so that a later document is called later and not damaged.
#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestDocument {
    version: u64,
    entries: Vec<EntryDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum EntryDocument {
    File {
        path: String,
        executable: bool,
        size: u64,
        sha256: Digest,
    },
    Dir {
        path: String,
    },
    Symlink {
        path: String,
        target: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PackingDocument {
    version: u64,
    archive: Digest,
    size: u64,
    members: Vec<Member>,
}

impl Manifest {
    /// The canonical bytes, whose SHA-256 is the release digest.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        to_bytes(&ManifestDocument {
            version: VERSION,
            entries: self.entries().iter().map(EntryDocument::from).collect(),
        })
    }

    /// Reads canonical bytes; any other spelling of the same content is refused.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let document: ManifestDocument = read("manifest", bytes)?;
        let entries = document
            .entries
            .into_iter()
            .map(Entry::try_from)
            .collect::<Result<Vec<_>>>()?;
        Self::from_sorted(entries)
    }
}

impl Packing {
    /// The canonical bytes of `packing.json`.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        to_bytes(&PackingDocument {
            version: VERSION,
            archive: self.archive(),
            size: self.size(),
            members: self.members().to_vec(),
        })
    }

    /// Reads canonical bytes; members must adjoin and fill the archive exactly.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let document: PackingDocument = read("packing", bytes)?;
        Self::new(document.archive, document.size, document.members)
    }
}

impl From<&Entry> for EntryDocument {
    fn from(entry: &Entry) -> Self {
        let path = entry.path.to_string();
        match &entry.kind {
            Kind::File {
                executable,
                size,
                digest,
            } => Self::File {
                path,
                executable: *executable,
                size: *size,
                sha256: *digest,
            },
            Kind::Directory => Self::Dir { path },
            Kind::Symlink { target } => Self::Symlink {
                path,
                target: target.clone(),
            },
        }
    }
}

impl TryFrom<EntryDocument> for Entry {
    type Error = Error;

    fn try_from(document: EntryDocument) -> Result<Self> {
        let (path, kind) = match document {
            EntryDocument::File {
                path,
                executable,
                size,
                sha256,
            } => (
                path,
                Kind::File {
                    executable,
                    size,
                    digest: sha256,
                },
            ),
            EntryDocument::Dir { path } => (path, Kind::Directory),
            EntryDocument::Symlink { path, target } => (path, Kind::Symlink { target }),
        };
        Ok(Self {
            path: ReleasePath::new(path)?,
            kind,
        })
    }
}

#[expect(
    clippy::expect_used,
    reason = "strings, numbers and lists always have a JSON form"
)]
fn to_bytes(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("a document of strings and numbers")
}

fn read<T: Serialize + DeserializeOwned>(document: &'static str, bytes: &[u8]) -> Result<T> {
    let unreadable = |source| Error::Unreadable { document, source };
    let Version { version } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if version != VERSION {
        return Err(Error::UnknownVersion {
            document,
            found: version,
            known: VERSION,
        });
    }
    let read: T = serde_json::from_slice(bytes).map_err(unreadable)?;
    if to_bytes(&read) == bytes {
        Ok(read)
    } else {
        Err(Error::NotCanonical { document })
    }
}
