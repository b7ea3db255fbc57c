//! Releases: requests to build, and what became of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::ReleaseId;
use crate::name::{MarkName, ProjectName, ReleaseFolder, ReleaseLabel, TargetName};

/// `POST /api/v1/projects/{project}/releases`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRelease {
    /// Tag, branch or commit prefix; the default branch when absent.
    #[serde(default, rename = "ref")]
    pub reference: Option<String>,
}

/// State of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReleaseState {
    /// Its build waits for a builder.
    Queued,
    /// It is being built.
    Building,
    /// It is complete and immutable.
    Built,
    /// Its build failed.
    Failed,
    /// Its build was cancelled.
    Cancelled,
    /// Its bytes were collected.
    Pruned,
}

/// `PUT /api/v1/projects/{project}/releases/{release}/marks/{mark}`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMark {
    /// What speaks for it: a report, a link.
    #[serde(default)]
    pub evidence: Option<String>,
}

/// What somebody said of a release, such as `tested`; gates ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mark {
    /// In one word.
    pub mark: MarkName,
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What speaks for it.
    pub evidence: Option<String>,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// Its project.
    pub project: ProjectName,
    /// Its number in the project.
    pub number: u32,
    /// What people call it.
    pub label: ReleaseLabel,
    /// The ref that was asked for.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The pinned commit.
    pub commit: String,
    /// First line of the commit's message.
    pub subject: String,
    /// Author of the commit.
    pub author: String,
    /// Its state.
    pub state: ReleaseState,
    /// Release digest, when built.
    pub digest: Option<Digest>,
    /// Its folder on hosts, when built.
    pub folder: Option<ReleaseFolder>,
    /// Sum of file sizes in bytes, when built.
    pub total_bytes: Option<u64>,
    /// Number of manifest entries, when built.
    pub entries: Option<u64>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Whether a recipe says how it is built; without one its commit's tree is the release.
    #[serde(default = "known_to_have_one")]
    pub has_recipe: bool,
    /// Number of the job that builds it.
    pub job: Option<i64>,
    /// What people said of it.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Where it is live.
    pub live_on: Vec<TargetName>,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was complete.
    pub built_at: Option<DateTime<Utc>>,
}

/// A coordinator that does not say has nothing to warn of.
const fn known_to_have_one() -> bool {
    true
}
