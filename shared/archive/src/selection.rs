//! Which part of a built tree becomes the release.
//!
//! A pattern that names a folder takes all of it; a pattern that hits nothing fails the build, because the release
//! would lack those files in silence. Excluded folders are not even entered.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};
use crate::path::{ReleasePath, at_or_below};

/// What to take from a built tree and what hosts will link to their own copies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Globs such as `dist/**`, where `*` stays inside one folder; none means everything.
    pub include: Vec<String>,
    /// Files and whole folders left out, such as `.git` and build caches; stronger than `include`.
    pub exclude: Vec<ReleasePath>,
    /// The recipe's shared paths, which the tree must leave free.
    pub shared: Vec<ReleasePath>,
}

/// The compiled form; remembers which patterns were of use.
#[derive(Debug)]
pub(crate) struct Chooser<'a> {
    selection: &'a Selection,
    globs: GlobSet,
    used: Vec<bool>,
}

impl<'a> Chooser<'a> {
    pub(crate) fn new(selection: &'a Selection) -> Result<Self> {
        let mut globs = GlobSetBuilder::new();
        for pattern in &selection.include {
            let invalid = |fault: String| Error::InvalidPattern {
                pattern: pattern.clone(),
                fault,
            };
            let plain = pattern
                .strip_prefix("./")
                .unwrap_or(pattern)
                .trim_end_matches('/');
            if plain.is_empty() || plain.starts_with('/') || plain.split('/').any(|name| name == "..") {
                return Err(invalid("does not name anything below the top folder".to_owned()));
            }
            let glob = GlobBuilder::new(plain).literal_separator(true).build();
            globs.add(glob.map_err(|error| invalid(format!("cannot be read: {}", error.kind())))?);
        }
        let globs = globs.build().map_err(|error| Error::InvalidPattern {
            pattern: selection.include.join(" "),
            fault: format!("cannot be read: {}", error.kind()),
        })?;
        Ok(Self {
            selection,
            globs,
            used: vec![false; selection.include.len()],
        })
    }

    /// Whether `path`, as the file system spells it, is left out with everything below.
    pub(crate) fn excludes(&self, path: &[u8]) -> bool {
        str::from_utf8(path).is_ok_and(|path| {
            self.selection
                .exclude
                .iter()
                .any(|out| at_or_below(path, out.as_str()))
        })
    }

    /// Whether `path`, or a folder above it, is asked for.
    pub(crate) fn includes(&mut self, path: &Path) -> bool {
        if self.used.is_empty() {
            return true;
        }
        let mut included = false;
        for place in path.ancestors() {
            for index in self.globs.matches(place) {
                self.used[index] = true;
                included = true;
            }
        }
        included
    }

    /// The first pattern that never matched.
    pub(crate) fn unused(&self) -> Option<&str> {
        let position = self.used.iter().position(|used| !used)?;
        self.selection.include.get(position).map(String::as_str)
    }
}
