//! Branches and tags of a project's repository, as the coordinator last fetched them, and what is built of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::plans::CommitLine;
use super::releases::ReleaseState;
use crate::name::ReleaseLabel;

/// What a ref is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefName {
    /// A branch.
    Branch,
    /// A tag.
    Tag,
}

/// Branches and tags of a repository, newest commit first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepositoryRefs {
    /// When they were fetched; none = this coordinator has not fetched them yet.
    pub fetched_at: Option<DateTime<Utc>>,
    /// The newest of them.
    pub refs: Vec<RefStanding>,
    /// How many older ones are left out.
    pub more: u64,
}

/// A branch or tag, and how far it is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefStanding {
    /// Whether it is a branch or a tag.
    pub kind: RefName,
    /// Its name.
    pub name: String,
    /// The commit it leads to.
    pub commit: String,
    /// When that was made.
    pub committed_at: DateTime<Utc>,
    /// First line of its message.
    pub subject: String,
    /// Its author.
    pub author: String,
    /// The newest release of exactly this commit, whatever became of it.
    pub release: Option<RefRelease>,
    /// The nearest built release behind it.
    pub since: Option<SinceRelease>,
}

/// A release of a ref's commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefRelease {
    /// Its number.
    pub number: u32,
    /// What people call it.
    pub label: ReleaseLabel,
    /// What became of it.
    pub state: ReleaseState,
}

/// How far a ref has gone since it was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SinceRelease {
    /// Number of the release.
    pub number: u32,
    /// What people call it.
    pub label: ReleaseLabel,
    /// Commits that the ref has and the release has not.
    pub commits: u64,
}

/// The newest commits of a branch that are not built, as the branch was last fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BranchCommits {
    /// The branch.
    pub branch: String,
    /// Those that are not built, newest first.
    pub commits: Vec<BranchCommit>,
    /// How many of its commits were looked at.
    pub looked_at: u64,
    /// Whether it has older ones.
    pub more: bool,
}

/// A commit that is not built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BranchCommit {
    /// The commit.
    pub commit: CommitLine,
    /// The newest release of it, whatever became of that.
    pub release: Option<RefRelease>,
}
