//! From a built tree to its manifest.
//!
//! The tree is listed without following a link, then files are hashed on several threads. What cannot be in a release
//! (fifos, devices, names that are no text, links that leave, files in the place of shared ones) fails the build and
//! names the path: nothing is left out in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use pointsman_shared::digest::Digest;

use crate::beneath::{Found, Tree};
use crate::error::{Error, Result};
use crate::hash;
use crate::manifest::{Entry, Kind, Manifest};
use crate::path::ReleasePath;
use crate::selection::{Chooser, Selection};
use crate::walk::{Step, walk};
use crate::watch::Watch;
use crate::workers;

impl Manifest {
    /// Lists what `selection` takes from the tree at `root`. A file is executable when its owner may execute it.
    pub fn scan(root: &Path, selection: &Selection, watch: &Watch<'_>) -> Result<Self> {
        let tree = Tree::open(root)?;
        let mut entries = list(&tree, selection, watch)?;
        let files: Vec<_> = (0..entries.len())
            .filter(|i| matches!(entries[*i].kind, Kind::File { .. }))
            .collect();
        let hashed = workers::each(files.len(), hash::buffer, |buffer, index| {
            read(&tree, &entries[files[index]].path, buffer, watch)
        })?;
        for (index, kind) in files.into_iter().zip(hashed) {
            entries[index].kind = kind;
        }
        let manifest = Self::new(entries)?;
        manifest.check_shared(&selection.shared)?;
        Ok(manifest)
    }
}

/// The selected entries; files still without size and digest.
fn list(tree: &Tree, selection: &Selection, watch: &Watch<'_>) -> Result<Vec<Entry>> {
    let mut chooser = Chooser::new(selection)?;
    let mut chosen: BTreeMap<ReleasePath, Kind> = BTreeMap::new();
    walk(tree, watch, &mut |path, found| {
        if chooser.excludes(path) {
            return Ok(Step::Over);
        }
        if chooser.includes(Path::new(OsStr::from_bytes(path))) {
            let path = ReleasePath::from_bytes(path)?;
            let kind = classify(&path, found)?;
            chosen.insert(path, kind);
        }
        Ok(Step::Into)
    })?;
    if let Some(pattern) = chooser.unused() {
        return Err(Error::NothingMatches {
            pattern: pattern.to_owned(),
        });
    }
    let parents: BTreeSet<String> = chosen
        .keys()
        .flat_map(ReleasePath::ancestors)
        .filter(|path| !chosen.contains_key(*path))
        .map(str::to_owned)
        .collect();
    for parent in parents {
        chosen.insert(ReleasePath::new(parent)?, Kind::Directory);
    }
    Ok(chosen
        .into_iter()
        .map(|(path, kind)| Entry { path, kind })
        .collect())
}

fn classify(path: &ReleasePath, found: Found) -> Result<Kind> {
    match found {
        Found::File { size, mode } => Ok(Kind::File {
            executable: is_executable(mode),
            size,
            digest: Digest::from_bytes([0; 32]),
        }),
        Found::Directory { .. } => Ok(Kind::Directory),
        Found::Symlink { target } => match String::from_utf8(target) {
            Ok(target) => Ok(Kind::Symlink { target }),
            Err(_) => Err(Error::InvalidLink {
                path: path.to_string(),
                fault: "is not UTF-8",
            }),
        },
        Found::Other { kind } => Err(Error::UnsupportedFile {
            path: path.to_string(),
            kind,
        }),
    }
}

/// Reads one file; size and mode are those of the file that was read, not of the listing.
fn read(tree: &Tree, path: &ReleasePath, buffer: &mut [u8], watch: &Watch<'_>) -> Result<Kind> {
    let (file, mode) = tree.file(path)?;
    let failed = |error| Error::io("reading", tree.full(path), error);
    let (size, digest) = hash::drain(file, buffer, watch, failed, |_| Ok(()))?;
    Ok(Kind::File {
        executable: is_executable(mode),
        size,
        digest,
    })
}

/// git's rule: the owner's bit decides.
pub(crate) const fn is_executable(mode: u32) -> bool {
    mode & 0o100 != 0
}
