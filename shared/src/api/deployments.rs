//! Deployments: wishes to have a release live, and how they go.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::DeploymentId;
use crate::name::{EnvironmentName, HostId, ProjectName, ReleaseLabel, TargetName};

/// `POST /api/v1/deployments`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDeployment {
    /// Where.
    pub target: TargetName,
    /// `#n`, label, tag, branch or commit prefix of 7 or more, built or being built.
    pub release: String,
    /// Build the ref first when no release of it exists.
    #[serde(default)]
    pub build: bool,
    /// Other waves than the target's, for this once.
    #[serde(default)]
    pub waves: Option<Vec<String>>,
    /// Another policy on failure, for this once.
    #[serde(default)]
    pub on_failure: Option<super::projects::OnFailure>,
    /// Start not before this time; it may wait beside others.
    #[serde(default)]
    pub at: Option<DateTime<Utc>>,
    /// Do not start after this time any more.
    #[serde(default)]
    pub expires: Option<DateTime<Utc>>,
    /// Hold it for so many seconds before anything is published, so that a cancel is a true one.
    #[serde(default)]
    pub hold_s: Option<u32>,
    /// The hash of a plan: refused when the deployment would do anything else.
    #[serde(default)]
    pub plan: Option<Digest>,
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

impl NewDeployment {
    /// The plain wish, as the target says, as soon as possible.
    pub fn new(target: TargetName, release: impl Into<String>) -> Self {
        Self {
            target,
            release: release.into(),
            build: false,
            waves: None,
            on_failure: None,
            at: None,
            expires: None,
            hold_s: None,
            plan: None,
            reason: None,
        }
    }
}

/// `POST /api/v1/promotions`: have the release that is live in one environment live in another; the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Of which project.
    pub project: ProjectName,
    /// Where it is live.
    pub from: EnvironmentName,
    /// Where it is to be live; further on in the order of environments.
    pub to: EnvironmentName,
    /// The hash of a plan, as for a deployment.
    #[serde(default)]
    pub plan: Option<Digest>,
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// `POST /api/v1/rollbacks`: activate an older good release; with an open deployment, decide that it is rolled back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRollback {
    /// Where.
    pub target: TargetName,
    /// To which release; the previous good one when absent.
    #[serde(default)]
    pub release: Option<String>,
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// `POST /api/v1/deployments/{number}/cancel`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// `POST /api/v1/deployments/{number}/decision`: what to do with a deployment that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Roll back every host whose activate left `queued`.
    Rollback,
    /// Go on with the next hosts.
    Continue,
}

/// Body of `POST /api/v1/deployments/{number}/decision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// What to do.
    pub decision: Decision,
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Body of `POST /api/v1/deployments/{number}/pause`: wait for a person before the next wave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Body of `POST /api/v1/deployments/{number}/retry` and `.../skip`: try hosts that failed again, or leave hosts out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HostsRequest {
    /// Which hosts; for a retry none means every host that failed.
    #[serde(default)]
    pub hosts: Vec<HostId>,
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A deployment's state; the open ones are derived from its jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// Behind another, or for its time.
    Waiting,
    /// Held before anything is published.
    Held,
    /// Its release is being built.
    Building,
    /// The release is being put on the hosts.
    Installing,
    /// Migrations are applied.
    Migrating,
    /// Hosts are switching.
    Switching,
    /// Switched hosts are checked.
    Verifying,
    /// It waits for a person.
    Paused,
    /// It is rolling back.
    RollingBack,
    /// It is being cancelled.
    Cancelling,
    /// Live on every host, or on every host but the deferred ones.
    Live,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It was rolled back.
    RolledBack,
    /// A newer wish took its place.
    Superseded,
    /// It was given up with its effect unknown.
    Abandoned,
}

impl DeploymentState {
    /// Whether the deployment is over.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Waiting
            | Self::Held
            | Self::Building
            | Self::Installing
            | Self::Migrating
            | Self::Switching
            | Self::Verifying
            | Self::Paused
            | Self::RollingBack
            | Self::Cancelling => false,
            Self::Live
            | Self::Failed
            | Self::Cancelled
            | Self::RolledBack
            | Self::Superseded
            | Self::Abandoned => true,
        }
    }
}

/// Which deployments a list shows. Single states of open ones are derived, not stored, and so cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ListedState {
    /// Those that are not over.
    Open,
    /// Those that are.
    Over,
    /// Those that ended live, on every host or on every host but the deferred ones.
    Live,
    /// Those that failed.
    Failed,
    /// Those that were cancelled.
    Cancelled,
    /// Those that were rolled back.
    RolledBack,
    /// Those whose place a newer wish took.
    Superseded,
    /// Those that were given up with their effect unknown.
    Abandoned,
}

impl ListedState {
    /// Every choice.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Over,
        Self::Live,
        Self::Failed,
        Self::Cancelled,
        Self::RolledBack,
        Self::Superseded,
        Self::Abandoned,
    ];

    /// Its name, as queries write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Over => "over",
            Self::Live => "live",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::RolledBack => "rolled_back",
            Self::Superseded => "superseded",
            Self::Abandoned => "abandoned",
        }
    }
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Its number for people (`#812`).
    pub number: i64,
    /// Where.
    pub target: TargetName,
    /// Which release.
    pub release: ReleaseLabel,
    /// The good release that was live at its start; where a rollback goes.
    pub from: Option<ReleaseLabel>,
    /// `deploy` or `rollback`.
    pub kind: String,
    /// Its state.
    pub state: DeploymentState,
    /// The state in words: `waiting behind #811`, `switching wave 2 of 3`, `live with 1 deferred`.
    pub summary: String,
    /// Why it holds, failed or waits.
    pub reason: Option<String>,
    /// Where it waits for a person, the commands that may be used now, the one most often meant first.
    #[serde(default)]
    pub ways_out: Vec<String>,
    /// Who wished it.
    pub requested_by: String,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// When it may start, where somebody said so.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// When it started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How long it usually takes from here; told of a single open deployment whose target has earlier ones.
    #[serde(default)]
    pub left: Option<super::plans::Usual>,
    /// That its stage takes longer than that of any earlier one; told where `left` would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Overdue>,
    /// Each host, by wave.
    pub hosts: Vec<HostProgress>,
}

/// A stage that takes longer than that of any earlier deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overdue {
    /// The longest of the earlier ones, in milliseconds.
    pub longest_ms: u64,
    /// How many there are.
    pub runs: u32,
}

/// A host's part in a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostProgress {
    /// The host.
    pub host: HostId,
    /// Its wave, from 1.
    pub wave: u32,
    /// `waiting, installing, installed, switching, live, failed, deferred, skipped, rolling_back, rolled_back, cancelled, unknown`.
    pub state: String,
    /// Why, when it failed or is deferred.
    pub reason: Option<String>,
    /// Number of its newest job.
    pub job: Option<i64>,
    /// Time from the first job's start to its last's end, in milliseconds.
    pub duration_ms: Option<u64>,
}
