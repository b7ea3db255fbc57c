//! Migrations of a target: what is applied, what is to come, and the wish to change it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::migration::{MigrationName, MigrationPhase, MigrationState};
use crate::name::{ReleaseLabel, TargetName};
use crate::wire::job::MigrateMode;

/// Everything known of a target's migrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Migrations {
    /// The target.
    pub target: TargetName,
    /// The release whose migrations are listed: the one that was asked for, else the one that should be live.
    pub release: Option<ReleaseLabel>,
    /// From when on its post-migrations may run; none while it is not live, or has none.
    pub post_from: Option<DateTime<Utc>>,
    /// Whether the scheduler starts them then.
    pub post_auto: bool,
    /// Number of the job that works on them right now.
    pub open_job: Option<i64>,
    /// Number of the job of which nobody knows what it did.
    pub unknown_job: Option<i64>,
    /// In the order in which they are applied.
    pub items: Vec<Migration>,
}

/// One migration in a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Migration {
    /// Its phase.
    pub phase: MigrationPhase,
    /// Its name.
    pub name: MigrationName,
    /// Where it stands; none = the ledger was not read since the release has it.
    pub state: Option<MigrationState>,
    /// Whether the release has it; what it does not have and is applied forbids going to it when it is a post-migration.
    pub own: bool,
    /// Whether there is a way back.
    pub reversible: bool,
    /// Number of the job that read this in the ledger.
    pub job: Option<i64>,
    /// When it was read.
    pub seen_at: Option<DateTime<Utc>>,
}

/// `POST /api/v1/targets/{target}/migrations`: the wish to work on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MigrationRequest {
    /// Which phase.
    pub phase: MigrationPhase,
    /// What to do.
    pub mode: MigrateMode,
    /// Whose; none = the release that should be live, or for one migration the newest release that has it.
    #[serde(default)]
    pub release: Option<String>,
    /// Which one; none = all that are pending.
    #[serde(default)]
    pub migration: Option<MigrationName>,
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A wish that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MigrationRun {
    /// Number of the job that does it.
    pub job: i64,
}
