//! Bytes that releases out there already have. These files are only ever added to: a change that breaks one of them
//! would give old releases another identity or make their archives unreadable.

use std::path::{Path, PathBuf};

use pointsman_archive::{Limits, Manifest, PackOptions, Packing, Watch, unpack, verify};
use pointsman_shared::digest::Digest;

use crate::craft::gunzip;
use crate::trees::{Packed, file, folder, link, program, scratch};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/v1")
        .join(name)
}

/// The tree behind the files: every kind of entry, and every kind of header.
fn tree(root: &Path) {
    file(root, "README", b"upper\n");
    file(root, "readme", b"lower\n");
    program(root, "bin/start", b"#!/bin/sh\nexec true\n");
    folder(root, "empty");
    link(root, "latest", "bin/start");
    link(root, "ünï/dangling", &format!("../{}", "z".repeat(120)));
    file(root, "ünï/quote\" back\\slash \u{1f600}", b"");
    file(root, &format!("{}/leaf", "l".repeat(120)), &[b'x'; 600]);
}

const OPTIONS: PackOptions = PackOptions {
    level: 6,
    member_bytes: 2048,
};
const RELEASE: &str = "b29e79c16d43752fe070c14a05601114ef0118ba50fdc06ba40e7f077b996ef3";

#[test]
fn the_manifest_of_a_tree_has_these_bytes() {
    let packed = Packed::new(tree, &OPTIONS);
    let golden = fs_err::read(fixture("manifest.json")).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&packed.manifest.canonical_bytes()),
        String::from_utf8_lossy(&golden)
    );
    assert_eq!(packed.manifest.digest().to_string(), RELEASE);
    assert_eq!(Manifest::parse(&golden).unwrap(), packed.manifest);
}

#[test]
fn an_old_archive_can_still_be_unpacked() {
    let golden = fs_err::read(fixture("packing.json")).unwrap();
    let packing = Packing::parse(&golden).unwrap();
    assert_eq!(packing.canonical_bytes(), golden);
    assert_eq!(packing.digest(), Digest::of(&golden));
    let manifest = Manifest::parse(&fs_err::read(fixture("manifest.json")).unwrap()).unwrap();
    let home = scratch();
    let dest = home.path().join("dest");
    unpack(
        &fixture("archive.tar.gz"),
        &packing,
        &manifest,
        &dest,
        &Limits::default(),
        &Watch::none(),
    )
    .unwrap();
    verify(&dest, &manifest, &[], &Watch::none()).unwrap();
}

#[test]
fn the_tar_bytes_and_the_cuts_stay_the_same() {
    // Not the gzip bytes: another version of the compressor may find shorter ones.
    let packed = Packed::new(tree, &OPTIONS);
    let golden = fs_err::read(fixture("archive.tar.gz")).unwrap();
    assert_eq!(gunzip(&fs_err::read(packed.archive()).unwrap()), gunzip(&golden));
    let old = Packing::parse(&fs_err::read(fixture("packing.json")).unwrap()).unwrap();
    let files = |packing: &Packing| {
        packing
            .members()
            .iter()
            .map(|member| member.files)
            .collect::<Vec<_>>()
    };
    assert_eq!(files(&packed.packing), files(&old));
}
