//! Reading one gzip member against the entries that it must hold.
//!
//! The reader never asks the archive what comes next: it knows. Headers, sizes, padding and the end mark are compared
//! with what the manifest requires, so no more is ever decompressed than the manifest signed for, plus one buffer.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use flate2::bufread::GzDecoder;
use pointsman_shared::digest::Digest;

use crate::error::{Error, Result};
use crate::hash;
use crate::header::{BLOCK, END, describe, header, padding};
use crate::manifest::Entry;
use crate::packing::Member;
use crate::watch::Watch;

/// A gzip header of this program: deflate, no flags (so no names, comments or extra fields), no time.
const GZIP_START: [u8; 8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];

/// A row of bytes of the archive, read at its own place so that several threads can share the file.
#[derive(Debug)]
struct Section<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.file.read_at(&mut buffer[..left], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// One member, decompressed entry by entry.
#[derive(Debug)]
pub(crate) struct MemberReader<'a> {
    /// Buffered on both sides: the decompressor is slow in small steps.
    decoder: BufReader<GzDecoder<BufReader<Section<'a>>>>,
    archive: &'a Path,
    number: usize,
}

impl<'a> MemberReader<'a> {
    /// Begins the member with this `number`, counted from 1.
    pub(crate) fn new(file: &'a File, archive: &'a Path, member: Member, number: usize) -> Result<Self> {
        let section = Section {
            file,
            at: member.offset,
            end: member.offset + member.length,
        };
        let mut input = BufReader::with_capacity(hash::CHUNK, section);
        let start = input
            .fill_buf()
            .map_err(|error| Error::io("reading archive", archive, error))?;
        let starts_well = start.starts_with(&GZIP_START);
        let reader = Self {
            decoder: BufReader::with_capacity(hash::CHUNK, GzDecoder::new(input)),
            archive,
            number,
        };
        if starts_well {
            Ok(reader)
        } else {
            Err(reader.refuse("does not begin with a plain gzip header"))
        }
    }

    /// Refuses any header but the one of `entry`.
    pub(crate) fn expect_header(&mut self, entry: &Entry) -> Result<()> {
        let expected = header(entry);
        let mut found = vec![0; expected.len()];
        self.fill(&mut found, &format!("the header of `{}`", entry.path))?;
        let Some(block) = expected
            .chunks(BLOCK)
            .zip(found.chunks(BLOCK))
            .find(|(wanted, got)| wanted != got)
        else {
            return Ok(());
        };
        let (wanted, got) = (describe(block.0), describe(block.1));
        Err(self.refuse(if wanted == got {
            format!(
                "has {got} with other header fields than `{}` may have",
                entry.path
            )
        } else {
            format!("has {got} where `{}` must be {wanted}", entry.path)
        }))
    }

    /// Gives the content of `entry` to `sink`, and refuses it if its digest is not `digest`.
    pub(crate) fn content(
        &mut self,
        entry: &Entry,
        digest: Digest,
        buffer: &mut [u8],
        watch: &Watch<'_>,
        sink: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let size = entry.kind.size();
        let (archive, number) = (self.archive, self.number);
        let failed = |error| damaged(archive, number, error);
        let (read, found) = hash::drain((&mut self.decoder).take(size), buffer, watch, failed, sink)?;
        if read != size {
            return Err(self.refuse(format!("ends inside `{}`", entry.path)));
        }
        if found != digest {
            return Err(self.refuse(format!(
                "has other content in `{}`: digest {found}, not {digest}",
                entry.path
            )));
        }
        let mut fill = vec![0; padding(size)];
        self.fill(&mut fill, &format!("the padding of `{}`", entry.path))?;
        self.expect_zeros(&fill)
    }

    /// Refuses anything that follows: in the member, or between its end and the next one.
    pub(crate) fn finish(mut self, is_last: bool) -> Result<()> {
        if is_last {
            let mut end = vec![0; END.len()];
            self.fill(&mut end, "the end mark")?;
            if end != END {
                return Err(self.refuse(format!("has {} that the manifest does not name", describe(&end))));
            }
        }
        let mut more = [0; BLOCK];
        let read = self
            .decoder
            .read(&mut more)
            .map_err(|error| damaged(self.archive, self.number, error))?;
        if read > 0 {
            return Err(self.refuse(format!(
                "goes on with {} after its last entry",
                describe(&more[..read])
            )));
        }
        let rest = self.decoder.get_mut().get_mut().fill_buf();
        match rest.map_err(|error| Error::io("reading archive", self.archive, error))? {
            [] => Ok(()),
            _ => Err(self.refuse("has bytes after its gzip trailer")),
        }
    }

    fn expect_zeros(&self, bytes: &[u8]) -> Result<()> {
        if bytes.iter().all(|byte| *byte == 0) {
            Ok(())
        } else {
            Err(self.refuse("hides bytes in padding"))
        }
    }

    fn fill(&mut self, bytes: &mut [u8], what: &str) -> Result<()> {
        self.decoder.read_exact(bytes).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                self.refuse(format!("ends where {what} must stand"))
            } else {
                damaged(self.archive, self.number, error)
            }
        })
    }

    fn refuse(&self, fault: impl Into<String>) -> Error {
        Error::Refused {
            member: self.number,
            fault: fault.into(),
        }
    }
}

/// Tells an archive that does not decompress from a disk that does not read.
fn damaged(archive: &Path, number: usize, error: io::Error) -> Error {
    if error.raw_os_error().is_some() {
        return Error::io("reading archive", archive, error);
    }
    Error::Refused {
        member: number,
        fault: format!("cannot be decompressed: {error}"),
    }
}
