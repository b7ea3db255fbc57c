//! Whether an installed tree is its manifest, plus the shared links, and nothing else.
//!
//! The tree is listed and every file is read again. All differences are counted, the first few are named. Nothing is
//! mended here: drift is for people to see.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use pointsman_shared::digest::Digest;

use crate::beneath::{Found, Tree};
use crate::error::{Error, Result};
use crate::hash;
use crate::manifest::{Entry, Kind, Manifest};
use crate::path::ReleasePath;
use crate::walk::{Step, walk};
use crate::watch::Watch;
use crate::workers;

/// How many differences are named; all are counted.
const NAMED: usize = 5;

/// A link that a host adds to a release, to its own copy of a shared file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedLink {
    /// Where it stands in the release.
    pub path: ReleasePath,
    /// The text of the link.
    pub target: String,
}

/// What differs between a tree and its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    /// The first ones by path, in words.
    pub first: Vec<String>,
    /// How many there are in all.
    pub count: usize,
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join("; "))?;
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// What must stand at a path.
#[derive(Debug)]
enum Expected<'a> {
    Entry(&'a Kind),
    SharedLink(&'a str),
    /// A folder that only a shared link needs.
    Way,
}

/// Compares the tree at `dest` with `manifest` and exactly the given shared `links` (and the folders on the way to
/// them): paths, kinds, modes, sizes, contents and link texts. The mode of `dest` itself is the caller's.
pub fn verify(dest: &Path, manifest: &Manifest, links: &[SharedLink], watch: &Watch<'_>) -> Result<()> {
    let mut missing = expectations(manifest, links)?;
    let tree = Tree::open(dest)?;
    let mut differences: BTreeMap<String, String> = BTreeMap::new();
    let mut files = Vec::new();
    walk(&tree, watch, &mut |path, found| {
        let name = String::from_utf8_lossy(path).into_owned();
        let expected = str::from_utf8(path)
            .ok()
            .and_then(|path| missing.remove_entry(path));
        let Some((known, expected)) = expected else {
            differences.insert(name, "is not in the manifest".to_owned());
            return Ok(Step::Over);
        };
        match compare(&expected, &found) {
            Some(difference) => drop(differences.insert(name, difference)),
            None => files.extend(file_to_read(manifest, known, &expected)),
        }
        Ok(Step::Into)
    })?;
    differences.extend(
        missing
            .into_keys()
            .map(|path| (path.to_owned(), "is missing".to_owned())),
    );
    differences.extend(read_files(&tree, &files, watch)?);
    let count = differences.len();
    if count == 0 {
        return Ok(());
    }
    let words = |(path, what): (String, String)| format!("`{}` {what}", path.escape_debug());
    let first = differences.into_iter().take(NAMED).map(words).collect();
    Err(Error::Differs {
        path: dest.to_path_buf(),
        differences: Differences { first, count },
    })
}

fn expectations<'a>(
    manifest: &'a Manifest,
    links: &'a [SharedLink],
) -> Result<BTreeMap<&'a str, Expected<'a>>> {
    let paths: Vec<_> = links.iter().map(|link| link.path.clone()).collect();
    manifest.check_shared(&paths)?;
    let entries = manifest.entries().iter();
    let mut expected: BTreeMap<_, _> = entries
        .map(|entry| (entry.path.as_str(), Expected::Entry(&entry.kind)))
        .collect();
    for folder in links.iter().flat_map(|link| link.path.ancestors()) {
        expected.entry(folder).or_insert(Expected::Way);
    }
    expected.extend(
        links
            .iter()
            .map(|link| (link.path.as_str(), Expected::SharedLink(&link.target))),
    );
    Ok(expected)
}

/// How `found` differs, apart from the content of files.
fn compare(expected: &Expected<'_>, found: &Found) -> Option<String> {
    let (wanted, actual) = match (expected, found) {
        (Expected::Entry(Kind::File { size, .. }), Found::File { size: actual, .. }) if size != actual => {
            (format!("{size} bytes"), format!("{actual} bytes"))
        }
        (Expected::Entry(kind @ Kind::File { .. }), Found::File { mode, .. })
        | (Expected::Entry(kind @ Kind::Directory), Found::Directory { mode }) => {
            (format!("mode {:04o}", kind.mode()), format!("mode {mode:04o}"))
        }
        (Expected::Way, Found::Directory { .. }) => return None,
        (Expected::Entry(Kind::Symlink { target }), Found::Symlink { target: actual }) => {
            (format!("a link to `{target}`"), link_words(actual))
        }
        (Expected::SharedLink(target), Found::Symlink { target: actual }) => {
            (format!("a link to `{target}`"), link_words(actual))
        }
        (expected, found) => (expected_words(expected).to_owned(), found_words(found).to_owned()),
    };
    (wanted != actual).then(|| format!("is {actual} instead of {wanted}"))
}

/// The text as it is where it is text, so that equal words mean equal bytes.
fn link_words(target: &[u8]) -> String {
    str::from_utf8(target).map_or_else(
        |_| format!("a link to bytes {}", target.escape_ascii()),
        |text| format!("a link to `{text}`"),
    )
}

const fn expected_words(expected: &Expected<'_>) -> &'static str {
    match expected {
        Expected::Entry(Kind::File { .. }) => "a file",
        Expected::Entry(Kind::Directory) | Expected::Way => "a folder",
        Expected::Entry(Kind::Symlink { .. }) => "a link",
        Expected::SharedLink(_) => "a link to the shared copy",
    }
}

const fn found_words(found: &Found) -> &'static str {
    match found {
        Found::File { .. } => "a file",
        Found::Directory { .. } => "a folder",
        Found::Symlink { .. } => "a link",
        Found::Other { kind } => kind,
    }
}

fn file_to_read<'a>(
    manifest: &'a Manifest,
    path: &str,
    expected: &Expected<'_>,
) -> Option<(&'a Entry, Digest)> {
    match expected {
        Expected::Entry(Kind::File { digest, .. }) => manifest.get(path).map(|entry| (entry, *digest)),
        Expected::Entry(Kind::Directory | Kind::Symlink { .. }) | Expected::SharedLink(_) | Expected::Way => {
            None
        }
    }
}

fn read_files(tree: &Tree, files: &[(&Entry, Digest)], watch: &Watch<'_>) -> Result<Vec<(String, String)>> {
    let found = workers::each(files.len(), hash::buffer, |buffer, index| {
        let (entry, digest) = files[index];
        let (file, _) = tree.file(&entry.path)?;
        let failed = |error| Error::io("reading", tree.full(&entry.path), error);
        let (_, actual) = hash::drain(file, buffer, watch, failed, |_| Ok(()))?;
        Ok((actual != digest).then(|| {
            (
                entry.path.to_string(),
                format!("has digest {actual} instead of {digest}"),
            )
        }))
    })?;
    Ok(found.into_iter().flatten().collect())
}
