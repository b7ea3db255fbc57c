//! The manifest: the signed list of everything a release holds, and the source of its identity.
//!
//! A [`Manifest`] can only be made whole: entries sorted by path bytes, no path twice, every folder named before what
//! stands in it, nothing below a file or a link, and no link that leaves. Code that holds one need not check again.
//! It knows no times, owners, hosts or compression, so the same tree has the same digest whatever packed it.

use std::collections::HashMap;

use pointsman_shared::digest::Digest;

use crate::error::{Error, Result};
use crate::links;
use crate::path::ReleasePath;

/// A complete list of a release's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    entries: Vec<Entry>,
}

/// One file, folder or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub path: ReleasePath,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File {
        /// Whether its mode is 0755 instead of 0644.
        executable: bool,
        /// Length in bytes.
        size: u64,
        /// SHA-256 of its bytes.
        digest: Digest,
    },
    /// A folder, mode 0755.
    Directory,
    /// A symbolic link.
    Symlink {
        /// The text of the link, byte for byte.
        target: String,
    },
}

impl Kind {
    /// The permission bits on every host; links have none of their own.
    pub const fn mode(&self) -> u32 {
        match self {
            Self::File {
                executable: false, ..
            } => 0o644,
            Self::File { executable: true, .. } | Self::Directory => 0o755,
            Self::Symlink { .. } => 0o777,
        }
    }

    /// Bytes of content; nothing for folders and links.
    pub const fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Directory | Self::Symlink { .. } => 0,
        }
    }
}

impl Manifest {
    /// Sorts `entries` and checks that they form one tree.
    pub fn new(mut entries: Vec<Entry>) -> Result<Self> {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Self::from_sorted(entries)
    }

    /// Checks entries that must already be in order.
    pub(crate) fn from_sorted(entries: Vec<Entry>) -> Result<Self> {
        check_tree(&entries)?;
        links::check(&entries, &[])?;
        Ok(Self { entries })
    }

    /// The entries, sorted by path bytes; a folder stands before its content.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry at `path`.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries
            .binary_search_by(|entry| entry.path.as_str().cmp(path))
            .ok()
            .map(|index| &self.entries[index])
    }

    /// The release digest: SHA-256 of the canonical bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical_bytes())
    }

    /// Bytes of all files together.
    pub fn total_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.kind.size()).sum()
    }

    /// Number of regular files.
    pub fn files(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| matches!(entry.kind, Kind::File { .. }))
            .count()
    }

    /// Refuses a manifest with something at, below or in the way of a path that hosts will link to their own copy,
    /// and one whose links climb out of such a path.
    pub fn check_shared(&self, shared: &[ReleasePath]) -> Result<()> {
        for link in shared {
            let below = self.entries.iter().find(|entry| entry.path.is_at_or_below(link));
            let above = link
                .ancestors()
                .filter_map(|folder| self.get(folder))
                .find(|entry| !matches!(entry.kind, Kind::Directory));
            if let Some(entry) = below.or(above) {
                return Err(Error::SharedConflict {
                    path: entry.path.to_string(),
                    shared: link.to_string(),
                });
            }
        }
        links::check(&self.entries, shared)
    }
}

fn check_tree(entries: &[Entry]) -> Result<()> {
    let mut kinds: HashMap<&str, &Kind> = HashMap::with_capacity(entries.len());
    let mut previous: Option<&ReleasePath> = None;
    let mut total: u64 = 0;
    for entry in entries {
        let refuse = |fault| {
            Err(Error::InvalidEntry {
                path: entry.path.to_string(),
                fault,
            })
        };
        match previous.map(|path| path.cmp(&entry.path)) {
            None | Some(std::cmp::Ordering::Less) => {}
            Some(std::cmp::Ordering::Equal) => return refuse("stands there twice"),
            Some(std::cmp::Ordering::Greater) => return refuse("is not in order"),
        }
        if let Some(parent) = entry.path.parent() {
            match kinds.get(parent) {
                Some(Kind::Directory) => {}
                Some(Kind::File { .. } | Kind::Symlink { .. }) => {
                    return refuse("stands below a file or link");
                }
                None => return refuse("stands in a folder that the manifest does not name"),
            }
        }
        match total.checked_add(entry.kind.size()) {
            Some(sum) => total = sum,
            None => return refuse("has an impossible size"),
        }
        kinds.insert(entry.path.as_str(), &entry.kind);
        previous = Some(&entry.path);
    }
    Ok(())
}
