//! `packing.json`: how one archive holds one manifest.
//!
//! An archive is a row of gzip members, each a whole number of manifest entries in manifest order, so that members can
//! be unpacked side by side. The packing says where each begins and ends; it has no names, since the manifest has them.
//! A [`Packing`] that contradicts itself cannot be made.

use pointsman_shared::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::manifest::{Entry, Manifest};

/// Where the bytes of a release stand in its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    archive: Digest,
    size: u64,
    members: Vec<Member>,
}

/// One gzip member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// First byte in the archive.
    pub offset: u64,
    /// Compressed length in bytes.
    pub length: u64,
    /// Number of manifest entries (files, folders and links) in it.
    pub files: usize,
}

impl Packing {
    /// Refuses members that do not fill an archive of `size` bytes one after another.
    pub fn new(archive: Digest, size: u64, members: Vec<Member>) -> Result<Self> {
        let refuse = |fault: String| Err(Error::InvalidPacking { fault });
        let mut end: u64 = 0;
        for (index, member) in members.iter().enumerate() {
            let number = index + 1;
            if member.offset != end {
                return refuse(format!(
                    "member {number} begins at {} instead of {end}",
                    member.offset
                ));
            }
            if member.length == 0 || (member.files == 0 && members.len() > 1) {
                return refuse(format!("member {number} is empty"));
            }
            match end.checked_add(member.length) {
                Some(next) => end = next,
                None => return refuse(format!("member {number} has an impossible length")),
            }
        }
        if members.is_empty() || end != size {
            return refuse(format!("its members end at {end}, the archive at {size}"));
        }
        Ok(Self {
            archive,
            size,
            members,
        })
    }

    /// SHA-256 of the archive.
    pub const fn archive(&self) -> Digest {
        self.archive
    }

    /// Length of the archive in bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The gzip members, adjoining, in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// SHA-256 of the canonical bytes: the name of `packing.json` in the store.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical_bytes())
    }

    /// The entries of `manifest` that each member holds.
    pub(crate) fn split<'a>(&self, manifest: &'a Manifest) -> Result<Vec<&'a [Entry]>> {
        let mut rest = manifest.entries();
        let mut parts = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let (part, after) = rest
                .split_at_checked(member.files)
                .ok_or_else(|| self.other_manifest(manifest))?;
            parts.push(part);
            rest = after;
        }
        if rest.is_empty() {
            Ok(parts)
        } else {
            Err(self.other_manifest(manifest))
        }
    }

    fn other_manifest(&self, manifest: &Manifest) -> Error {
        let held = self
            .members
            .iter()
            .fold(0_usize, |sum, member| sum.saturating_add(member.files));
        let fault = format!(
            "it holds {held} entries, the manifest names {}",
            manifest.entries().len()
        );
        Error::InvalidPacking { fault }
    }
}
