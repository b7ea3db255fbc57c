//! Plans: what a deployment would do, before anybody asks for it. A stored plan has a hash that a deployment can insist on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::projects::{OnFailure, Strategy};
use crate::digest::Digest;
use crate::name::{HostId, ReleaseLabel, TargetName};
use crate::repository::CommitId;

/// `POST /api/v1/plans`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPlan {
    /// Where.
    pub target: TargetName,
    /// A built release: `#n`, label, tag, branch or commit prefix of 7 or more.
    pub release: String,
    /// Other waves than the target's, for this once.
    #[serde(default)]
    pub waves: Option<Vec<String>>,
    /// Another policy on failure, for this once.
    #[serde(default)]
    pub on_failure: Option<OnFailure>,
}

/// What a deployment would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// SHA-256 of [`Agreed`] in canonical JSON. The same plan has the same hash, whoever made it and whenever.
    pub hash: Digest,
    /// What a deployment that insists on this plan is held to.
    pub agreed: Agreed,
    /// The commits that come and go.
    pub commits: PlannedCommits,
    /// What is left out: newer commits of the branch it was built from; none where there are none, or nobody knows.
    #[serde(default)]
    pub newer: Option<NewerCommits>,
    /// Post-migrations that wait for this release to have been live for a while.
    pub post_migrations: Vec<String>,
    /// Hosts that are not as they should be: absent, or elsewhere than decided.
    pub notes: Vec<HostNote>,
    /// How long such deployments took; none without an earlier one.
    pub expected: Option<Usual>,
    /// The way back, once it is live.
    pub way_back: WayBack,
    /// What would refuse the deployment right now: a lock, the stop, a gate, an applied post-migration.
    pub obstacles: Vec<String>,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
}

/// The part of a plan that its hash covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Agreed {
    /// Where.
    pub target: TargetName,
    /// What would be live.
    pub release: PlannedRelease,
    /// What is live now, as far as it is good: where a rollback goes.
    pub from: Option<PlannedRelease>,
    /// Pre-migrations that would be applied, in order.
    pub pre_migrations: Vec<String>,
    /// Each wave's hosts, in order.
    pub waves: Vec<Vec<HostId>>,
    /// How it goes over the hosts.
    pub strategy: Strategy,
}

/// A release as a plan names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedRelease {
    /// Its number in the project.
    pub number: u32,
    /// What people call it.
    pub label: ReleaseLabel,
    /// Its commit.
    pub commit: CommitId,
    /// Its digest.
    pub digest: Digest,
}

/// What a deployment brings and takes away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedCommits {
    /// Commits that the new release has and the live one has not, newest first.
    pub coming: Vec<CommitLine>,
    /// Commits that the live release has and the new one has not, newest first.
    pub going: Vec<CommitLine>,
    /// Whether there are more than are listed.
    pub more: bool,
    /// Why there is no list: the repository could not be read, or nothing is live yet.
    pub unknown: Option<String>,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommitLine {
    /// Its full id.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// When.
    pub at: DateTime<Utc>,
    /// First paragraph of its message, in one line.
    pub subject: String,
    /// The author's e-mail address.
    #[serde(default)]
    pub email: String,
    /// The commit that it says to revert.
    #[serde(default)]
    pub reverts: Option<String>,
}

/// What a branch has and a planned release has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewerCommits {
    /// The branch, as it was last fetched.
    pub branch: String,
    /// Its newest commits that are not in the release, newest first.
    pub commits: Vec<CommitLine>,
    /// Whether there are more than are listed.
    pub more: bool,
}

/// What is to be known of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostNote {
    /// The host.
    pub host: HostId,
    /// What.
    pub note: String,
}

/// How long earlier runs took: their median, and the range that eight of ten fell into. Milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usual {
    /// Half were quicker.
    pub median_ms: u64,
    /// One of ten was quicker.
    pub low_ms: u64,
    /// One of ten was slower.
    pub high_ms: u64,
    /// How many runs this is read from.
    pub runs: u32,
}

/// The way back after the deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WayBack {
    /// Where a rollback would go.
    pub to: Option<ReleaseLabel>,
    /// On how many of the target's hosts that release lies.
    pub ready_on: u32,
    /// Why there is none, or what a rollback does not undo.
    pub note: Option<String>,
}
