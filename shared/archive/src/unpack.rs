//! From an archive to the tree that its manifest names, and nothing else.
//!
//! Order of trust: sizes against the host's limits, the whole archive against its signed digest, and only then the
//! first byte is decompressed. Members are unpacked side by side, for creating files is what takes the time.
//! An archive is refused as a whole; no entry is ever skipped, renamed or mended.
//!
//! Durability is one `syncfs` at the end instead of an `fsync` per file and folder: it covers both, and the measured
//! difference is large (see the crate's documentation). The caller still syncs the folder above, after its rename.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags};

use crate::destination::{Destination, LastFolder};
use crate::error::{Error, Result};
use crate::hash;
use crate::limits::Limits;
use crate::manifest::{Entry, Kind, Manifest};
use crate::member::MemberReader;
use crate::packing::Packing;
use crate::watch::Watch;
use crate::workers;

/// Unpacks `archive` into `dest`, which must not exist or be an empty folder of ours with mode 0700. Afterwards `dest`
/// has mode 0755 and is durable. On failure `dest` holds a part that the caller must throw away.
pub fn unpack(
    archive: &Path,
    packing: &Packing,
    manifest: &Manifest,
    dest: &Path,
    limits: &Limits,
    watch: &Watch<'_>,
) -> Result<()> {
    limits.check(manifest)?;
    let parts = packing.split(manifest)?;
    let file = open_verified(archive, packing, watch)?;
    let destination = Destination::fresh(dest)?;
    destination.make_folders(manifest)?;
    let state = || (LastFolder::default(), hash::buffer());
    workers::each(parts.len(), state, |(last, buffer), index| {
        let member = packing.members()[index];
        let mut reader = MemberReader::new(&file, archive, member, index + 1)?;
        for entry in parts[index] {
            watch.check()?;
            place(&destination, last, &mut reader, entry, buffer, watch)?;
        }
        reader.finish(index + 1 == parts.len())
    })?;
    destination.seal(manifest)
}

fn place(
    destination: &Destination,
    last: &mut LastFolder,
    reader: &mut MemberReader<'_>,
    entry: &Entry,
    buffer: &mut [u8],
    watch: &Watch<'_>,
) -> Result<()> {
    reader.expect_header(entry)?;
    match &entry.kind {
        Kind::File { digest, .. } => destination.make_file(last, entry, |file| {
            reader.content(entry, *digest, buffer, watch, |chunk| {
                file.write_all(chunk)
                    .map_err(|error| destination.failed(&entry.path, error))
            })
        }),
        // Made before any file, so that threads need not wait for each other's folders.
        Kind::Directory => Ok(()),
        Kind::Symlink { target } => destination.make_link(last, &entry.path, target),
    }
}

/// Opens `archive` and reads it whole: size and digest must be those of `packing`.
fn open_verified(archive: &Path, packing: &Packing, watch: &Watch<'_>) -> Result<File> {
    let failed = |error| Error::io("reading archive", archive, error);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(CWD, archive, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
    let stat = rustix::fs::fstat(&fd).map_err(|error| failed(error.into()))?;
    let wrong_size = |actual| Error::ArchiveSize {
        path: archive.to_path_buf(),
        expected: packing.size(),
        actual,
    };
    let size = stat.st_size.cast_unsigned();
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || size != packing.size() {
        return Err(wrong_size(size));
    }
    let file = File::from(fd);
    let silent = Watch::none();
    let (read, digest) = hash::drain(&file, &mut hash::buffer(), &silent, failed, |_| watch.check())?;
    if read != packing.size() {
        return Err(wrong_size(read));
    }
    if digest != packing.archive() {
        let (expected, path) = (packing.archive(), archive.to_path_buf());
        return Err(Error::ArchiveDigest {
            path,
            expected,
            actual: digest,
        });
    }
    Ok(file)
}
