//! Small trees on disk, and the way from a tree to an archive and back.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use pointsman_archive::{
    Limits, Manifest, PackOptions, Packing, ReleasePath, Result, Selection, Watch, pack, unpack,
};
use tempfile::TempDir;

/// A folder in memory where there is one: syncing the disk is not what these tests are about.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        TempDir::new_in(memory).unwrap()
    } else {
        TempDir::new().unwrap()
    }
}

pub fn path(text: &str) -> ReleasePath {
    ReleasePath::new(text).unwrap()
}

pub fn file(root: &Path, name: &str, content: &[u8]) {
    let place = root.join(name);
    fs_err::create_dir_all(place.parent().unwrap()).unwrap();
    fs_err::write(&place, content).unwrap();
    set_mode(&place, 0o644);
}

pub fn program(root: &Path, name: &str, content: &[u8]) {
    file(root, name, content);
    set_mode(&root.join(name), 0o755);
}

pub fn folder(root: &Path, name: &str) {
    fs_err::create_dir_all(root.join(name)).unwrap();
}

pub fn link(root: &Path, name: &str, target: &str) {
    let place = root.join(name);
    fs_err::create_dir_all(place.parent().unwrap()).unwrap();
    symlink(target, place).unwrap();
}

pub fn set_mode(place: &Path, mode: u32) {
    fs_err::set_permissions(place, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A bit of everything a release may hold.
pub fn full_tree(root: &Path) {
    file(root, "README", b"upper");
    file(root, "readme", b"lower");
    program(root, "bin/run", b"#!/bin/sh\necho ok\n");
    file(root, "empty", b"");
    file(root, "exactly-one-block", &[7; 512]);
    folder(root, "nothing/in/here");
    file(root, "names/-rf --no-preserve-root", b"dash");
    file(root, "names/back\\slash \"quoted\" 'twice' $(x) *?[]", b"odd");
    file(root, "names/ünï/日本語/😀.txt", b"text");
    file(root, &format!("names/{}", "é".repeat(127)), b"254 bytes");
    file(
        root,
        &format!("{0}/{0}/{0}/leaf", "long-folder-name".repeat(12)),
        b"deep",
    );
    file(root, &format!("hundred-{}", "x".repeat(92)), b"100 bytes of name");
    link(root, "current", "bin/run");
    link(root, "names/dangling", "../not/here");
    link(root, "names/to-long", &format!("{}/x", "y".repeat(150)));
    link(root, "names/circle", "circle");
    file(
        root,
        "large.bin",
        &(0..300_000_u32)
            .flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes())
            .collect::<Vec<_>>(),
    );
}

pub fn scan(root: &Path) -> Result<Manifest> {
    Manifest::scan(root, &Selection::default(), &Watch::none())
}

/// A packed tree, in a scratch folder of its own.
pub struct Packed {
    pub home: TempDir,
    pub manifest: Manifest,
    pub packing: Packing,
}

impl Packed {
    pub fn new(plant: impl FnOnce(&Path), options: &PackOptions) -> Self {
        let home = scratch();
        let tree = home.path().join("tree");
        fs_err::create_dir(&tree).unwrap();
        plant(&tree);
        let manifest = scan(&tree).unwrap();
        let packing = pack(
            &tree,
            &manifest,
            &home.path().join("archive"),
            options,
            &Watch::none(),
        )
        .unwrap();
        Self {
            home,
            manifest,
            packing,
        }
    }

    pub fn tree(&self) -> PathBuf {
        self.home.path().join("tree")
    }

    pub fn archive(&self) -> PathBuf {
        self.home.path().join("archive")
    }

    pub fn dest(&self) -> PathBuf {
        self.home.path().join("dest")
    }

    pub fn unpack(&self) -> Result<()> {
        let (archive, dest) = (self.archive(), self.dest());
        unpack(
            &archive,
            &self.packing,
            &self.manifest,
            &dest,
            &Limits::default(),
            &Watch::none(),
        )
    }
}
