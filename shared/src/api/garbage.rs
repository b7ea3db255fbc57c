//! Garbage: what lies on hosts, why it stays, and what goes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::{HostId, ProjectName, ReleaseFolder, ReleaseLabel, TargetName};
use crate::outcome::GoneFolder;

/// `POST /api/v1/garbage`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct GarbageRequest {
    /// Only this project.
    pub project: Option<ProjectName>,
    /// Only this target.
    pub target: Option<TargetName>,
    /// Only say what would go.
    pub dry_run: bool,
    /// Why, for the audit trail.
    pub reason: Option<String>,
}

/// What goes and what stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Garbage {
    /// Whether nothing was ordered.
    pub dry_run: bool,
    /// Every folder on every host, by target, host and folder.
    pub items: Vec<GarbageItem>,
    /// Placements that were left alone, and why.
    pub left: Vec<LeftAlone>,
    /// Numbers of the jobs that collect.
    pub jobs: Vec<i64>,
    /// Releases whose bytes in the store go as well.
    pub pruned: Vec<PrunedRelease>,
    /// Builders, with what their newest collection of mirrors and build caches took; each decides for itself.
    #[serde(default)]
    pub builders: Vec<BuilderGarbage>,
}

impl Garbage {
    /// What goes from hosts, in bytes.
    pub fn bytes(&self) -> u64 {
        let going = self.items.iter().filter(|item| item.goes());
        going.map(|item| item.bytes).sum()
    }
}

/// A folder on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GarbageItem {
    /// Where.
    pub target: TargetName,
    /// On which host.
    pub host: HostId,
    /// The folder.
    pub folder: ReleaseFolder,
    /// The release it is; none = nobody here made it, so it is never touched.
    pub release: Option<ReleaseLabel>,
    /// Sum of its file sizes.
    pub bytes: u64,
    /// Why it stays; none = it goes.
    pub stays: Option<String>,
}

impl GarbageItem {
    /// Whether it goes.
    pub const fn goes(&self) -> bool {
        self.stays.is_none()
    }
}

/// A placement that was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeftAlone {
    /// The target.
    pub target: TargetName,
    /// The host.
    pub host: HostId,
    /// Why.
    pub reason: String,
}

/// A builder's mirrors and build caches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BuilderGarbage {
    /// The builder.
    pub host: HostId,
    /// Number of the job that collects now.
    pub job: Option<i64>,
    /// Why none does.
    pub left: Option<String>,
    /// The newest collection that ended.
    pub last: Option<WorkshopCollection>,
}

/// What a collection took from a builder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkshopCollection {
    /// Number of its job.
    pub job: i64,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// What went, the first hundred.
    pub gone: Vec<GoneFolder>,
    /// How many more went.
    pub more: u64,
    /// What all of it was, in bytes.
    pub bytes: u64,
}

/// A release whose bytes leave the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrunedRelease {
    /// Its project.
    pub project: ProjectName,
    /// Its label.
    pub release: ReleaseLabel,
    /// Size of its archive.
    pub bytes: u64,
}

/// `POST /api/v1/garbage/undo`: brings a release back to every host of a target, out of the trash where it still lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// Where.
    pub target: TargetName,
    /// Which release.
    pub release: String,
}

/// What an undo ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Undone {
    /// Hosts that get it back.
    pub hosts: Vec<HostId>,
}

/// When a project's garbage is collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GarbageSchedule {
    /// The project.
    pub project: ProjectName,
    /// A cron expression in UTC; none = never by itself.
    pub cron: Option<String>,
    /// The next time.
    #[serde(default)]
    pub next: Option<DateTime<Utc>>,
    /// The last time.
    #[serde(default)]
    pub last: Option<DateTime<Utc>>,
}

/// `PUT /api/v1/projects/{project}/releases/{release}/pin`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PinRequest {
    /// Whether it is kept whatever happens.
    pub pinned: bool,
    /// Why.
    pub reason: Option<String>,
}
