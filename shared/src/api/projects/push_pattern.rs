//! What a target follows when somebody pushes; written as text: `main`, `release/*`, `tag:v*`.

use serde::{Deserialize, Serialize};

/// Longest pattern, in bytes.
const LONGEST: usize = 200;

/// Branches or tags whose pushes are deployed to a target. `*` stands for any run of characters but `/`, `**` for any
/// run at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum PushPattern {
    /// Branches of these names.
    Branch(String),
    /// Tags of these names: `tag:v*`.
    Tag(String),
}

impl From<PushPattern> for String {
    fn from(pattern: PushPattern) -> Self {
        pattern.to_string()
    }
}

impl std::fmt::Display for PushPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Branch(name) => f.write_str(name),
            Self::Tag(name) => write!(f, "tag:{name}"),
        }
    }
}

impl TryFrom<String> for PushPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (make, name): (fn(String) -> Self, _) = match text.strip_prefix("tag:") {
            Some(name) => (Self::Tag, name),
            None => (Self::Branch, text.as_str()),
        };
        let sound = |c: u8| c.is_ascii_alphanumeric() || b"._-/*+@#".contains(&c);
        if name.is_empty() || name.len() > LONGEST || !name.bytes().all(sound) || name.starts_with("refs/") {
            return Err(format!(
                "{text:?} is no pattern of branches or tags; write main, release/* or tag:v*"
            ));
        }
        Ok(make(name.to_owned()))
    }
}

impl std::str::FromStr for PushPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.to_owned().try_into()
    }
}
