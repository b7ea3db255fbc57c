//! Archives made by hand, block by block, and a jail that notices whatever is written outside it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use pointsman_archive::{Error, Limits, Manifest, Member, PackOptions, Packing, Result, Watch, unpack};
use pointsman_shared::digest::Digest;

use crate::trees::{Packed, file, link, program};

/// The fields of a tar header, to be changed one at a time.
#[derive(Debug, Clone)]
pub struct Head {
    pub name: String,
    pub flag: u8,
    pub mode: u32,
    pub uid: u32,
    pub size: u64,
    pub mtime: u64,
    pub target: String,
    pub magic: [u8; 8],
    pub user: String,
    pub prefix: String,
}

impl Head {
    pub fn new(name: &str, flag: u8, mode: u32) -> Self {
        Self {
            name: name.to_owned(),
            flag,
            mode,
            uid: 0,
            size: 0,
            mtime: 0,
            target: String::new(),
            magic: *b"ustar\x0000",
            user: String::new(),
            prefix: String::new(),
        }
    }

    pub fn file(name: &str) -> Self {
        Self::new(name, b'0', 0o644)
    }

    pub fn to(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    pub fn with(mut self, content: &[u8]) -> Vec<u8> {
        self.size = content.len() as u64;
        padded([self.block(), content.to_vec()].concat())
    }

    pub fn block(&self) -> Vec<u8> {
        let mut block = vec![0; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, self.name.as_bytes());
        put(100, format!("{:07o}", self.mode).as_bytes());
        put(108, format!("{:07o}", self.uid).as_bytes());
        put(116, b"0000000");
        put(124, format!("{:011o}", self.size).as_bytes());
        put(136, format!("{:011o}", self.mtime).as_bytes());
        put(156, &[self.flag]);
        put(157, self.target.as_bytes());
        put(257, &self.magic);
        put(265, self.user.as_bytes());
        put(329, b"0000000");
        put(337, b"0000000");
        put(345, self.prefix.as_bytes());
        resum(&mut block);
        block
    }
}

/// Sets the checksum of a header that was changed.
pub fn resum(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// An extended header (`x`) or a global one (`g`).
pub fn pax(flag: u8, key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (rest..rest + 9)
        .find(|length| *length == rest + length.to_string().len())
        .unwrap();
    Head::new("PaxHeader", flag, 0o644).with(format!("{length} {key}={value}\n").as_bytes())
}

pub fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut all).unwrap();
    all
}

pub fn member(offset: usize, length: usize, files: usize) -> Member {
    Member {
        offset: offset as u64,
        length: length as u64,
        files,
    }
}

pub const DATA: &[u8] = b"content\n";
pub const RUN: &[u8] = b"#!/bin/sh\n";

/// A small honest release, and a place where hostile packings of it are tried.
pub struct Jail {
    packed: Packed,
    /// One piece per entry (`app`, `app/data`, `app/run`, `link`, `top`) and the end mark.
    pub pieces: Vec<Vec<u8>>,
}

impl Jail {
    pub fn new() -> Self {
        let plant = |tree: &Path| {
            file(tree, "app/data", DATA);
            program(tree, "app/run", RUN);
            link(tree, "link", "app/data");
            file(tree, "top", b"top\n");
        };
        let packed = Packed::new(plant, &PackOptions::default());
        file(packed.home.path(), "outside/secret", b"secret");
        let tar = gunzip(&fs_err::read(packed.archive()).unwrap());
        let lengths = [512, 1024, 1024, 512, 1024, 1024];
        let mut rest = tar.as_slice();
        let pieces = lengths.map(|length| {
            let (piece, after) = rest.split_at(length);
            rest = after;
            piece.to_vec()
        });
        assert!(rest.is_empty());
        Self {
            packed,
            pieces: pieces.to_vec(),
        }
    }

    pub fn manifest(&self) -> &Manifest {
        &self.packed.manifest
    }

    pub fn outside(&self) -> PathBuf {
        self.packed.home.path().join("outside")
    }

    /// Where the last archive was unpacked.
    pub fn dest(&self) -> PathBuf {
        self.outside().join("jail/dest")
    }

    /// Unpacks `archive`, signed as holding `members`.
    pub fn try_members(&self, archive: &[u8], members: Vec<Member>) -> Result<()> {
        let packing = Packing::new(Digest::of(archive), archive.len() as u64, members)?;
        let place = self.packed.home.path().join("hostile");
        fs_err::write(&place, archive).unwrap();
        let before = self.surroundings();
        if self.dest().exists() {
            fs_err::remove_dir_all(self.dest()).unwrap();
        }
        fs_err::create_dir_all(self.outside().join("jail")).unwrap();
        let (limits, watch) = (Limits::default(), Watch::none());
        let result = unpack(&place, &packing, self.manifest(), &self.dest(), &limits, &watch);
        assert_eq!(before, self.surroundings(), "something outside was touched");
        self.assert_nothing_unnamed();
        result
    }

    /// Unpacks one member made of `tar` bytes.
    pub fn try_tar(&self, tar: &[u8]) -> Result<()> {
        let archive = gzip(tar);
        self.try_members(&archive, vec![member(0, archive.len(), 5)])
    }

    /// Asserts that the honest pieces, once changed, are refused for what stands in the archive.
    pub fn refuses(&self, name: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let mut pieces = self.pieces.clone();
        change(&mut pieces);
        assert_ne!(pieces, self.pieces, "{name} changes nothing");
        match self.try_tar(&pieces.concat()) {
            Err(Error::Refused { .. }) => {}
            other => panic!("{name}: {other:?}"),
        }
    }

    /// Everything around the unpacked tree: names, modes and contents.
    fn surroundings(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut seen = BTreeMap::new();
        let mut ahead = vec![self.outside(), self.packed.tree()];
        while let Some(folder) = ahead.pop() {
            for entry in fs_err::read_dir(folder).unwrap() {
                let place = entry.unwrap().path();
                let found = fs_err::symlink_metadata(&place).unwrap();
                if place == self.outside().join("jail") {
                    let others = fs_err::read_dir(&place)
                        .unwrap()
                        .filter(|e| e.as_ref().unwrap().path() != self.dest());
                    assert_eq!(others.count(), 0, "something stands beside the destination");
                    continue;
                }
                let content = if found.is_file() {
                    fs_err::read(&place).unwrap()
                } else {
                    Vec::new()
                };
                if found.is_dir() {
                    ahead.push(place.clone());
                }
                seen.insert(place, (found.permissions().mode(), content));
            }
        }
        seen
    }

    fn assert_nothing_unnamed(&self) {
        let mut ahead = vec![self.dest()];
        while let Some(folder) = ahead.pop() {
            if !folder.exists() {
                continue;
            }
            for entry in fs_err::read_dir(folder).unwrap() {
                let place = entry.unwrap().path();
                let name = place
                    .strip_prefix(self.dest())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                assert!(self.manifest().get(&name).is_some(), "{name} was made");
                if fs_err::symlink_metadata(&place).unwrap().is_dir() {
                    ahead.push(place);
                }
            }
        }
    }
}
