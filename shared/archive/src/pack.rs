//! From a tree and its manifest to an archive: gzip members side by side, each a whole number of entries.
//!
//! The archive holds the entries in manifest order and the end mark of tar, nothing else; `tar xzf` opens it. Every
//! file is hashed again on its way in: a tree that is no longer what the manifest says is an error, not an archive.
//! The bytes depend on the compressor, the manifest does not; that is why a release is known by the latter.

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flate2::{Compression, GzBuilder, write::GzEncoder};

use crate::beneath::{Found, Tree};
use crate::error::{Error, Result};
use crate::hash;
use crate::header::{BLOCK, END, header, padding};
use crate::manifest::{Entry, Kind, Manifest};
use crate::packing::Packing;
use crate::scan::is_executable;
use crate::turns::{Refusal, SPILL, Turns, Written};
use crate::watch::Watch;
use crate::workers;

/// How an archive is made; nothing here changes the release digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackOptions {
    /// Compression level, 1 (twice as fast, a third larger) to 9.
    pub level: u32,
    /// Bytes of content after which a member is closed; a larger file has a member of its own.
    pub member_bytes: u64,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self {
            level: 6,
            member_bytes: 4 << 20,
        }
    }
}

/// Packs the entries of `manifest` from `root` into the new file `out`, durably. On failure `out` is removed.
pub fn pack(
    root: &Path,
    manifest: &Manifest,
    out: &Path,
    options: &PackOptions,
    watch: &Watch<'_>,
) -> Result<Packing> {
    let tree = Tree::open(root)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(out)
        .map_err(|error| Error::io("creating archive", out, error))?;
    let written = write_members(&tree, manifest, Turns::new(file), options, watch, out);
    let packing = written.and_then(|written| {
        written
            .file
            .sync_all()
            .map_err(|error| Error::io("writing archive", out, error))?;
        Packing::new(written.digest, written.size, written.members)
    });
    if packing.is_err()
        && let Err(error) = fs_err::remove_file(out)
    {
        tracing::warn!(%error, "an unfinished archive stays behind");
    }
    packing
}

fn write_members(
    tree: &Tree,
    manifest: &Manifest,
    turns: Turns,
    options: &PackOptions,
    watch: &Watch<'_>,
    out: &Path,
) -> Result<Written> {
    let parts = cut(manifest.entries(), options.member_bytes);
    workers::each(parts.len(), hash::buffer, |buffer, index| {
        let part = MemberWriter {
            tree,
            watch,
            turns: &turns,
            out,
            index,
        };
        let entries = &manifest.entries()[parts[index].clone()];
        let is_last = index + 1 == parts.len();
        part.write(entries, is_last, options.level, buffer)
            .inspect_err(|_| turns.abandon())
    })?;
    Ok(turns.into_written())
}

/// Cuts `entries` so that each part has at most `member_bytes` of tar, or a single entry; one part at least.
fn cut(entries: &[Entry], member_bytes: u64) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, entry) in entries.iter().enumerate() {
        let more = entry.kind.size().saturating_add(BLOCK as u64);
        if index > start && bytes + more > member_bytes {
            parts.push(start..index);
            (start, bytes) = (index, 0);
        }
        bytes = more.saturating_add(bytes);
    }
    parts.push(start..entries.len());
    parts
}

struct MemberWriter<'a> {
    tree: &'a Tree,
    watch: &'a Watch<'a>,
    turns: &'a Turns,
    out: &'a Path,
    index: usize,
}

type Encoder = GzEncoder<Vec<u8>>;

impl MemberWriter<'_> {
    fn write(&self, entries: &[Entry], is_last: bool, level: u32, buffer: &mut [u8]) -> Result<()> {
        let mut encoder = GzBuilder::new().write(Vec::new(), Compression::new(level.clamp(1, 9)));
        for entry in entries {
            self.watch.check()?;
            self.put(&mut encoder, &header(entry))?;
            match &entry.kind {
                Kind::File { .. } => self.put_file(&mut encoder, entry, buffer)?,
                Kind::Directory => self.check_directory(entry)?,
                Kind::Symlink { target } => self.check_link(entry, target)?,
            }
        }
        if is_last {
            self.put(&mut encoder, &END)?;
        }
        let mut rest = encoder
            .finish()
            .map_err(|error| Error::io("writing archive", self.out, error))?;
        self.turns
            .finish(self.index, &mut rest, entries.len())
            .map_err(|refusal| self.refused(refusal))
    }

    fn put(&self, encoder: &mut Encoder, bytes: &[u8]) -> Result<()> {
        encoder
            .write_all(bytes)
            .map_err(|error| Error::io("writing archive", self.out, error))?;
        if encoder.get_ref().len() < SPILL {
            return Ok(());
        }
        self.turns
            .write(self.index, encoder.get_mut())
            .map_err(|refusal| self.refused(refusal))
    }

    fn put_file(&self, encoder: &mut Encoder, entry: &Entry, buffer: &mut [u8]) -> Result<()> {
        let (file, mode) = self.tree.file(&entry.path)?;
        let failed = |error| Error::io("reading", self.tree.full(&entry.path), error);
        let mut left = entry.kind.size();
        let (size, digest) = hash::drain(file, buffer, self.watch, failed, |chunk| {
            left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| changed(entry, "it grew"))?;
            self.put(encoder, chunk)
        })?;
        if left > 0 {
            return Err(changed(entry, "it shrank"));
        }
        if entry.kind
            != (Kind::File {
                executable: is_executable(mode),
                size,
                digest,
            })
        {
            return Err(changed(entry, "its content or executable bit is another"));
        }
        self.put(encoder, &END[..padding(size)])
    }

    fn check_directory(&self, entry: &Entry) -> Result<()> {
        match self.tree.look(&entry.path)? {
            Found::Directory { .. } => Ok(()),
            Found::File { .. } | Found::Symlink { .. } | Found::Other { .. } => {
                Err(changed(entry, "it is no longer a folder"))
            }
        }
    }

    fn check_link(&self, entry: &Entry, text: &str) -> Result<()> {
        match self.tree.look(&entry.path)? {
            Found::Symlink { target } if target == text.as_bytes() => Ok(()),
            Found::File { .. } | Found::Directory { .. } | Found::Symlink { .. } | Found::Other { .. } => {
                Err(changed(entry, "it is no longer the same link"))
            }
        }
    }

    fn refused(&self, refusal: Refusal) -> Error {
        match refusal {
            Refusal::Abandoned => Error::Stopped,
            Refusal::Io(error) => Error::io("writing archive", self.out, error),
        }
    }
}

fn changed(entry: &Entry, change: &'static str) -> Error {
    Error::Changed {
        path: entry.path.to_string(),
        change,
    }
}
