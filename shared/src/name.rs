//! Names, parsed once: whoever holds a [`ProjectName`] never checks it again.
//!
//! Each rule stands in one place and its error says what is allowed. This module refuses to repair: nothing is
//! trimmed, lowered or cut.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that does not follow the rule of its kind of name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {rule}")]
pub struct InvalidName {
    /// What the text should have been, such as "project name".
    pub what: &'static str,
    /// The refused text, cut to 80 characters.
    pub text: String,
    /// The rule in words.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The rule it follows, in words.
            pub const RULE: &str = $rule;

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(InvalidName { what: $what, text: text.chars().take(80).collect(), rule: Self::RULE })
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// Lowercase letters, digits and inner hyphens, 1 to 40 characters.
fn is_slug(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

name!(
    /// Name of a project; also the default folder name of its roots.
    ProjectName, "project name", "1 to 40 of a-z, 0-9 and inner hyphens", is_slug
);
name!(
    /// Name of an environment such as `production`.
    EnvironmentName, "environment name", "1 to 40 of a-z, 0-9 and inner hyphens", is_slug
);
name!(
    /// Fixed id of a host (protocol.md 1); stands in queue names and rights, hence no dots.
    HostId, "host id", "1 to 40 of a-z, 0-9 and inner hyphens", is_slug
);
name!(
    /// Name of a pool of agents that share a queue, such as `default`.
    PoolName, "pool name", "1 to 40 of a-z, 0-9 and inner hyphens", is_slug
);
name!(
    /// What somebody may say of a release in one word, such as `tested`.
    MarkName, "mark", "1 to 40 of a-z, 0-9 and inner hyphens", is_slug
);
name!(
    /// Name of a webhook within its project, such as `github`.
    WebhookName, "webhook", "1 to 40 of a-z, 0-9 and inner hyphens", is_slug
);
name!(
    /// Name of a channel that notifications go to, such as `ops`.
    ChannelName, "channel name", "1 to 40 of a-z, 0-9 and inner hyphens", is_slug
);
name!(
    /// A link in a root that names a live release: `current` (others come later).
    SlotName, "slot name", "1 to 40 of a-z, 0-9 and inner hyphens", is_slug
);
name!(
    /// What people call a release: a tag such as `1.9.1`, else its number.
    ReleaseLabel, "release label", "1 to 100 of letters, digits and . _ + - /, starting with a letter or digit",
    |text| (1..=100).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-/".contains(&b))
);
name!(
    /// Name of a variable: an environment variable's name.
    VariableName, "variable name", "1 to 64 of A-Z, 0-9 and _, not starting with a digit",
    |text| (1..=64).contains(&text.len())
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
);
name!(
    /// Name of a migration; it may stand as the last argument of a project's own tool, so it never looks like an option.
    MigrationName, "migration name", "1 to 200 of letters, digits and _ - . / \\, starting with a letter, digit or _",
    |text| (1..=200).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./\\".contains(&b))
);
name!(
    /// Folder of a release on a host: `<six or more digits>-<first 12 of the digest>`.
    ReleaseFolder, "release folder", "a number of six or more digits, a hyphen and 12 hex digits",
    |text| text.split_once('-').is_some_and(|(number, digest)| {
        (6..=12).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_digit())
            && digest.len() == 12
            && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
);
name!(
    /// Absolute path of a placement's root on a host, without `.`, `..`, empty parts or control characters.
    RootPath, "root path", "an absolute path without '.', '..', '//' or control characters, at most 255 bytes",
    |text| (2..=255).contains(&text.len())
        && text.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        })
        && !text.chars().any(char::is_control)
);

impl RootPath {
    /// The root on one host: `${HOST}` stands for its id, for hosts that share a file system.
    #[must_use]
    pub fn on_host(&self, host: &HostId) -> Self {
        // An id is made of letters, digits and hyphens: the path stays a path. Only its length may grow, and the
        // system refuses a longer name itself.
        Self(self.0.replace("${HOST}", host.as_str()))
    }
}

impl SlotName {
    /// The slot every target has.
    pub fn current() -> Self {
        Self("current".to_owned())
    }
}

impl ReleaseFolder {
    /// The folder of release `number` with this digest.
    pub fn of(number: u32, digest: &crate::digest::Digest) -> Self {
        Self(format!("{number:06}-{}", digest.short()))
    }
}

/// A target as people write it: `shop@production`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetName {
    /// The project.
    pub project: ProjectName,
    /// The environment.
    pub environment: EnvironmentName,
}

impl FromStr for TargetName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidName {
            what: "target",
            text: text.chars().take(80).collect(),
            rule: "write project@environment, such as shop@production",
        };
        let (project, environment) = text.split_once('@').ok_or_else(invalid)?;
        Ok(Self {
            project: project.parse()?,
            environment: environment.parse()?,
        })
    }
}

impl TryFrom<String> for TargetName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TargetName> for String {
    fn from(name: TargetName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.project, self.environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_follow_the_rule() {
        for good in ["shop", "web-1", "a", "0"] {
            assert!(good.parse::<HostId>().is_ok(), "{good}");
        }
        for bad in ["", "Shop", "-a", "a-", "a.b", "a_b", "ü", "a b", &"a".repeat(41)] {
            assert!(bad.parse::<HostId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn release_folder_is_number_and_digest() {
        let digest = crate::digest::Digest::of(b"x");
        let folder = ReleaseFolder::of(42, &digest);
        assert_eq!(folder.as_str(), format!("000042-{}", digest.short()));
        assert_eq!(folder.as_str().parse(), Ok(folder));
        assert!("../000042-aaaaaaaaaaaa".parse::<ReleaseFolder>().is_err());
    }

    #[test]
    fn roots_are_absolute_and_plain() {
        assert!("/srv/shop".parse::<RootPath>().is_ok());
        for bad in ["srv", "/", "/srv/", "/srv/../etc", "/srv//x", "/srv/\n"] {
            assert!(bad.parse::<RootPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_root_may_name_its_host() {
        let host: HostId = "web-1".parse().unwrap();
        let on_host = |root: &str| root.parse::<RootPath>().unwrap().on_host(&host).to_string();
        assert_eq!(on_host("/hosts/${HOST}/srv/shop"), "/hosts/web-1/srv/shop");
        assert_eq!(on_host("/srv/shop"), "/srv/shop");
    }

    #[test]
    fn targets_are_project_at_environment() {
        assert_eq!(
            "shop@production".parse::<TargetName>().map(|t| t.to_string()),
            Ok("shop@production".to_owned())
        );
        assert!("shop".parse::<TargetName>().is_err());
    }
}
