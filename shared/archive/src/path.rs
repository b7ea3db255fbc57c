//! Paths inside a release: the only names that ever reach the file system of a host.
//!
//! A [`ReleasePath`] is checked when it is made, so nothing below this module asks again. It refuses to mend: an
//! absolute path is not stripped, `a//b` is not joined, `..` is not resolved; each is an error. Names that differ only
//! by case are different names, as Linux sees them.

use std::borrow::Borrow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 1024;
/// Longest name of one file or folder, in bytes.
pub const MAX_NAME_BYTES: usize = 255;
/// Most names in one path.
pub const MAX_DEPTH: usize = 64;

/// A relative UTF-8 path of plain names, separated by single slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleasePath(String);

/// The rule that a path breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// No text at all.
    #[error("it is empty")]
    Empty,
    /// Starts with a slash.
    #[error("it is absolute")]
    Absolute,
    /// Two slashes in a row, or one at the end.
    #[error("it has an empty component")]
    EmptyComponent,
    /// `.` or `..`.
    #[error("it has a `.` or `..` component")]
    DotComponent,
    /// A newline, an escape or another control character.
    #[error("it has a control character")]
    ControlCharacter,
    /// Bytes that are no text.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Over [`MAX_PATH_BYTES`].
    #[error("it is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    /// Over [`MAX_NAME_BYTES`].
    #[error("a component is longer than {MAX_NAME_BYTES} bytes")]
    NameTooLong,
    /// Over [`MAX_DEPTH`].
    #[error("it is deeper than {MAX_DEPTH} folders")]
    TooDeep,
}

impl ReleasePath {
    /// Checks `text`, which must already be in its only spelling.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        match fault(&text) {
            None => Ok(Self(text)),
            Some(fault) => Err(Error::InvalidPath {
                path: text.escape_debug().to_string(),
                fault,
            }),
        }
    }

    /// Checks the bytes of a name as the file system gave them.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        match str::from_utf8(bytes) {
            Ok(text) => Self::new(text),
            Err(_) => Err(Error::InvalidPath {
                path: bytes.escape_ascii().to_string(),
                fault: PathFault::NotUtf8,
            }),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder above, if there is one below the top.
    pub fn parent(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(parent, _)| parent)
    }

    /// The last name.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }

    /// The folders above, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(self.parent(), |path| {
            path.rsplit_once('/').map(|(parent, _)| parent)
        })
    }

    /// Whether this is `other` or stands below it.
    pub fn is_at_or_below(&self, other: &ReleasePath) -> bool {
        at_or_below(&self.0, &other.0)
    }
}

/// Whether `path` is `folder` or stands below it.
pub(crate) fn at_or_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn fault(text: &str) -> Option<PathFault> {
    if text.is_empty() {
        return Some(PathFault::Empty);
    }
    if text.starts_with('/') {
        return Some(PathFault::Absolute);
    }
    if text.len() > MAX_PATH_BYTES {
        return Some(PathFault::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Some(PathFault::ControlCharacter);
    }
    if text.split('/').count() > MAX_DEPTH {
        return Some(PathFault::TooDeep);
    }
    text.split('/').find_map(|name| match name {
        "" => Some(PathFault::EmptyComponent),
        "." | ".." => Some(PathFault::DotComponent),
        long if long.len() > MAX_NAME_BYTES => Some(PathFault::NameTooLong),
        _ => None,
    })
}

impl fmt::Display for ReleasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ReleasePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<String> for ReleasePath {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl From<ReleasePath> for String {
    fn from(path: ReleasePath) -> Self {
        path.0
    }
}

impl Borrow<str> for ReleasePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<Path> for ReleasePath {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_but_honest_names_are_kept_as_they_are() {
        for text in [
            "a",
            "-rf",
            "a b/c\\d",
            "ä/€/😀",
            "...",
            "..a",
            "a.",
            "README",
            "readme",
            "%2e%2e",
            "*?[x]",
            "C:",
        ] {
            assert_eq!(ReleasePath::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn every_rule_is_enforced() {
        let deep = vec!["d"; MAX_DEPTH + 1].join("/");
        let long = vec!["x".repeat(200); 6].join("/");
        let cases = [
            ("", PathFault::Empty),
            ("/etc/passwd", PathFault::Absolute),
            ("a//b", PathFault::EmptyComponent),
            ("a/", PathFault::EmptyComponent),
            ("./a", PathFault::DotComponent),
            ("a/../b", PathFault::DotComponent),
            ("a\nb", PathFault::ControlCharacter),
            ("a\u{7f}", PathFault::ControlCharacter),
            ("a\u{9b}31m", PathFault::ControlCharacter),
            (&long, PathFault::TooLong),
            (&"x".repeat(256), PathFault::NameTooLong),
            (&deep, PathFault::TooDeep),
        ];
        for (text, expected) in cases {
            assert_eq!(fault(text), Some(expected), "{text:?}");
        }
        assert!(ReleasePath::from_bytes(b"caf\xe9").is_err());
    }

    #[test]
    fn below_means_below_and_not_beside() {
        let path = |text| ReleasePath::new(text).unwrap();
        assert!(path("storage/logs").is_at_or_below(&path("storage")));
        assert!(path("storage").is_at_or_below(&path("storage")));
        assert!(!path("storage-old/x").is_at_or_below(&path("storage")));
        assert_eq!(path("a/b/c").ancestors().collect::<Vec<_>>(), ["a/b", "a"]);
    }
}
