//! One file out of an archive, without the rest of it: only the gzip member that holds the file is read.
//!
//! For those who look, not for hosts: the archive's own digest is not checked, which would mean reading all of it. The
//! file's is, so that what comes out is what the manifest says, or nothing.

use std::io::{self, Read as _};

use flate2::bufread::GzDecoder;
use pointsman_shared::digest::Digest;

use crate::error::{Error, Result};
use crate::header::{header, padding};
use crate::manifest::{Entry, Kind, Manifest};
use crate::packing::{Member, Packing};

/// Where a file stands in an archive.
#[derive(Debug, Clone)]
pub struct Pick<'a> {
    member: Member,
    number: usize,
    before: &'a [Entry],
    entry: &'a Entry,
    digest: Digest,
}

impl<'a> Pick<'a> {
    /// Finds the file at `path`; none where the manifest has no file there.
    pub fn find(manifest: &'a Manifest, packing: &Packing, path: &str) -> Result<Option<Self>> {
        let parts = packing.split(manifest)?;
        for (index, (part, member)) in parts.into_iter().zip(packing.members()).enumerate() {
            let Some(at) = part.iter().position(|entry| entry.path.as_str() == path) else {
                continue;
            };
            let (before, rest) = part.split_at(at);
            return Ok(match rest.first() {
                Some(entry) => match entry.kind {
                    Kind::File { digest, .. } => Some(Self {
                        member: *member,
                        number: index + 1,
                        before,
                        entry,
                        digest,
                    }),
                    Kind::Directory | Kind::Symlink { .. } => None,
                },
                None => None,
            });
        }
        Ok(None)
    }

    /// Which bytes of the archive must be read.
    pub const fn range(&self) -> std::ops::Range<u64> {
        self.member.offset..self.member.offset + self.member.length
    }

    /// Bytes that are unpacked on the way to the file.
    pub fn on_the_way(&self) -> u64 {
        self.before.iter().map(in_tar).sum()
    }

    /// The file's content, out of the bytes of [`Self::range`].
    pub fn read(&self, member: &[u8]) -> Result<Vec<u8>> {
        let mut decoder = GzDecoder::new(member);
        let before = self.on_the_way();
        let passed = io::copy(&mut (&mut decoder).take(before), &mut io::sink());
        if passed.map_err(|error| self.refuse(&error))? != before {
            return Err(self.refuse(&"it ends before the file begins"));
        }
        let expected = header(self.entry);
        let mut found = vec![0; expected.len()];
        decoder
            .read_exact(&mut found)
            .map_err(|error| self.refuse(&error))?;
        if found != expected {
            return Err(self.refuse(&"another header stands where the file begins"));
        }
        let mut content = Vec::new();
        let read = decoder.take(self.entry.kind.size()).read_to_end(&mut content);
        read.map_err(|error| self.refuse(&error))?;
        if Digest::of(&content) != self.digest {
            return Err(self.refuse(&"its content has another digest"));
        }
        Ok(content)
    }

    fn refuse(&self, fault: &dyn std::fmt::Display) -> Error {
        Error::Refused {
            member: self.number,
            fault: format!("`{}` cannot be read: {fault}", self.entry.path),
        }
    }
}

/// Bytes that an entry takes in a tar.
fn in_tar(entry: &Entry) -> u64 {
    let size = entry.kind.size();
    header(entry).len() as u64 + size + padding(size) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PackOptions, Selection, Watch, pack};

    #[test]
    fn a_file_is_read_out_of_the_middle_of_an_archive_and_damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        fs_err::create_dir_all(tree.join("app")).unwrap();
        for number in 0..40 {
            let content = format!("line of {number}\n").repeat(50 + number);
            fs_err::write(tree.join(format!("app/{number:02}.txt")), content).unwrap();
        }
        let watch = Watch::none();
        let manifest = Manifest::scan(&tree, &Selection::default(), &watch).unwrap();
        let archive = folder.path().join("archive");
        let options = PackOptions {
            level: 6,
            member_bytes: 8_000,
        };
        let packing = pack(&tree, &manifest, &archive, &options, &watch).unwrap();
        assert!(packing.members().len() > 3);
        let bytes = fs_err::read(&archive).unwrap();
        for path in ["app/00.txt", "app/17.txt", "app/39.txt"] {
            let pick = Pick::find(&manifest, &packing, path).unwrap().unwrap();
            let range = pick.range();
            let part = &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
            let whole = fs_err::read(tree.join(path)).unwrap();
            assert_eq!(pick.read(part).unwrap(), whole);
            // Damage behind the file is not met; damage that is met gives nothing.
            let reads = (0..part.len()).step_by(7).map(|at| {
                let mut damaged = part.to_vec();
                damaged[at] ^= 1;
                pick.read(&damaged).ok()
            });
            let (given, refused): (Vec<_>, Vec<_>) = reads.partition(Option::is_some);
            assert!(given.into_iter().flatten().all(|read| read == whole), "{path}");
            assert!(!refused.is_empty(), "{path}");
        }
        assert!(Pick::find(&manifest, &packing, "app").unwrap().is_none());
        assert!(Pick::find(&manifest, &packing, "no").unwrap().is_none());
    }
}
