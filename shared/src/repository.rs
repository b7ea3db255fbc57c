//! Where sources come from, parsed once: [`RepositoryUrl`], [`GitRef`], [`CommitId`].
//!
//! All three stand in messages, tables and API bodies and end as arguments of the `git` program, so their rules are
//! those of what may safely stand there: nothing begins with `-`, nothing needs a shell, no other protocol than
//! https, ssh and local folders. An address is taken apart and rebuilt; what git sees is our text, not the user's.
//! This module refuses credentials in addresses: they would travel in messages and lie in tables in the clear.

mod relative;
mod revision;
#[cfg(test)]
mod tests;
mod url;

pub use revision::{CommitId, GitRef};
pub use url::{Protocol, RepositoryUrl};

/// A text that is no acceptable repository address, ref or commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {why}")]
pub struct InvalidRepository {
    /// "repository address", "git ref" or "commit".
    pub what: &'static str,
    /// The refused text, cut to 120 characters; of an address, no userinfo and no query.
    pub text: String,
    /// The rule that it breaks, in words, with the remedy.
    pub why: &'static str,
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidRepository;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )*};
}

as_text!(RepositoryUrl, GitRef, CommitId);
