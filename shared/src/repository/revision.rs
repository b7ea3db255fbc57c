//! What of a repository is meant: a ref as people write it, or a full commit id.
//!
//! It refuses to know whether such a tag, branch or commit exists.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::InvalidRepository;

/// A tag, branch or commit prefix as people write it, safe as an argument of `git`.
///
/// Letters, digits and `. _ / + -`, beginning with a letter or digit, at most 201 bytes, and a name that
/// `git check-ref-format` accepts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GitRef(String);

impl GitRef {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text in lower case if it can be the beginning of a commit id: 7 to 64 hex digits.
    pub fn as_commit_prefix(&self) -> Option<String> {
        let is_prefix = (7..=64).contains(&self.0.len()) && self.0.bytes().all(|b| b.is_ascii_hexdigit());
        is_prefix.then(|| self.0.to_ascii_lowercase())
    }
}

impl FromStr for GitRef {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = (1..=201).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._/+-".contains(&b));
        let parts = text.split('/').all(|part| {
            !part.is_empty() && !part.starts_with('.') && !part.to_ascii_lowercase().ends_with(".lock")
        });
        if letters && parts && !text.contains("..") && !text.ends_with('.') {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidRepository {
            what: "git ref",
            text: text.chars().take(120).collect(),
            why: "a tag, branch or commit of letters, digits and . _ / + -, beginning with a letter or digit, as git allows it",
        })
    }
}

impl fmt::Display for GitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A full commit id: 40 (SHA-1) or 64 (SHA-256) lowercase hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

impl CommitId {
    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits: what people are shown.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl FromStr for CommitId {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if hex && matches!(text.len(), 40 | 64) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidRepository {
            what: "commit",
            text: text.chars().take(120).collect(),
            why: "write all 40 (or 64) lowercase hex digits",
        })
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
