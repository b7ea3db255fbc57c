//! What is known of one deployment when it is looked at: its stored decisions, its frozen hosts, its jobs.
//!
//! Nothing here is judged; [`super::decide`] and [`super::progress`] read the same facts and so cannot disagree.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::Strategy;
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::ids::{DeploymentId, JobId, PlacementId, ReleaseId};
use pointsman_shared::name::{HostId, ReleaseLabel};
use pointsman_shared::outcome::JobKind;
use serde::{Deserialize, Serialize};

/// What a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentKind {
    /// Somebody wished a release live.
    Deploy,
    /// Somebody wished an older good release back; every host at once, and never rolled back by itself.
    Rollback,
}

impl DeploymentKind {
    /// The name used in the database and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
        }
    }
}

/// A release by id, with what people call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRef {
    /// The release.
    pub id: ReleaseId,
    /// Its label.
    pub label: ReleaseLabel,
}

/// The release a deployment is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// The release.
    pub id: ReleaseId,
    /// What people call it.
    pub label: ReleaseLabel,
    /// How far it is.
    pub state: ReleaseState,
    /// Why its build failed.
    pub failure: Option<String>,
}

/// Why a deployment makes no further step until a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// More hosts failed than the strategy allows.
    Failure,
    /// It should roll back, and there is no previous good release.
    NoPreviousGood,
    /// The rollback failed on a host; it is not tried again by itself.
    RollbackFailed,
    /// A pre-migration failed; none is tried again by itself.
    Migration,
    /// A person asked for it.
    Asked,
}

/// The stored decision to pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// Why.
    pub why: PauseReason,
    /// Why, for people: hosts and causes.
    pub message: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who; none = the coordinator.
    #[serde(default)]
    pub by: Option<String>,
}

/// The stored wish to pause before the next wave begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseWish {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// The stored decision to roll back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackDecision {
    /// To which release.
    pub to: ReleaseRef,
    /// When it was first decided.
    pub at: DateTime<Utc>,
    /// Who; none = the strategy.
    #[serde(default)]
    pub by: Option<String>,
    /// Why, for people.
    pub reason: String,
    /// Rollback jobs each host may have; a person's further decision raises it.
    pub tries: u32,
}

/// The stored decision to cancel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelDecision {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// How a deployment ended; written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentOutcome {
    /// Live on every host but those deferred or tolerated.
    Live,
    /// It failed.
    Failed,
    /// A person stopped it.
    Cancelled,
    /// Every host it had switched is back.
    RolledBack,
    /// A newer wish took its place before it started.
    Superseded,
    /// Stopped with its effect unknown on at least one host.
    Abandoned,
}

impl DeploymentOutcome {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Live,
        Self::Failed,
        Self::Cancelled,
        Self::RolledBack,
        Self::Superseded,
        Self::Abandoned,
    ];

    /// The name used in the database and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::RolledBack => "rolled_back",
            Self::Superseded => "superseded",
            Self::Abandoned => "abandoned",
        }
    }
}

/// The end of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub outcome: DeploymentOutcome,
    /// In words, such as `live with 1 deferred: web-3`.
    pub detail: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// A host of the deployment: frozen at its start, a candidate before.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts from five places, none of which follows from another"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// The target on this host.
    pub placement: PlacementId,
    /// The host.
    pub host: HostId,
    /// Its wave, from 1; 0 before the start.
    pub wave: u32,
    /// Whether it is seen right now.
    pub seen: bool,
    /// Whether its root can be worked in, by its last report.
    pub usable: bool,
    /// Why it is not waited for; stored.
    pub deferred: Option<String>,
    /// Why a person took it out; stored.
    pub skipped: Option<String>,
    /// Number of the newest job that a person had tried again: what fell short up to it counts no more. 0 = none.
    pub retried: i64,
    /// Number of the newest job whose failure a person accepted. 0 = none.
    pub accepted: i64,
    /// What differs from what was decided, or why its root cannot be worked in; such a host is never switched before a person decides anew.
    pub drift: Option<String>,
    /// Whether it no longer belongs to the target.
    pub retired: bool,
    /// Releases that lie on it complete, as far as this deployment cares (its own and the one to roll back to).
    pub has: Vec<ReleaseId>,
    /// The release read back from it.
    pub confirmed: Option<ReleaseId>,
    /// Whether the health check of what is live there did not fail.
    pub well: bool,
    /// Whether a switch that does not belong to this deployment runs on it right now.
    pub busy: bool,
}

/// A job of the deployment on one of its hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// The job.
    pub id: JobId,
    /// Its number; a higher one is newer.
    pub number: i64,
    /// `install`, `activate` or `rollback`; or `migrate`, in [`MigrationFacts`].
    pub kind: JobKind,
    /// Whether it undoes what the deployment did.
    pub undo: bool,
    /// Where.
    pub placement: PlacementId,
    /// Its state.
    pub state: JobState,
    /// Whether an agent may have begun it: some epoch was granted and not given back unbegun.
    pub granted: bool,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
    /// Why it waits or failed, for people.
    pub reason: Option<String>,
    /// The step that runs right now.
    pub step: Option<String>,
    /// When its newest epoch began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What a deployment has to do with migrations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationFacts {
    /// Whether its release has pre-migrations that are its to apply.
    pub pre: bool,
    /// The host that must run them; none = any that has the release.
    pub host: Option<HostId>,
    /// Runs that may fail before a person is asked; each decision to go on raises it.
    pub tries: u32,
    /// Its runs, oldest first.
    pub jobs: Vec<JobFacts>,
    /// Applied post-migrations that the release to go back to does not know: each forbids going back.
    pub forbidding: Vec<String>,
}

/// Everything that decides what happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The deployment.
    pub id: DeploymentId,
    /// Its number.
    pub number: i64,
    /// What it is.
    pub kind: DeploymentKind,
    /// What should be live.
    pub release: ReleaseFacts,
    /// How, frozen at the request.
    pub strategy: Strategy,
    /// Not before this time, on somebody's order.
    pub held_until: Option<DateTime<Utc>>,
    /// Not before this time, by its schedule.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// Not after this time, on somebody's order.
    pub expires_at: Option<DateTime<Utc>>,
    /// Why its target starts nothing right now: a lock, or the stop.
    pub locked: Option<String>,
    /// When hosts and waves were frozen.
    pub started_at: Option<DateTime<Utc>>,
    /// The good release live at its start; before it, the one live now.
    pub from: Option<ReleaseRef>,
    /// It waits for a person.
    pub paused: Option<Paused>,
    /// It is to wait for a person before the next wave.
    pub pause_wish: Option<PauseWish>,
    /// Failures a person accepted without naming hosts; deployments that are open since before hosts were named.
    pub failures_forgiven: u32,
    /// It rolls back.
    pub rollback: Option<RollbackDecision>,
    /// It is being cancelled.
    pub cancel: Option<CancelDecision>,
    /// How it ended.
    pub ended: Option<Ended>,
    /// Number of the open deployment of the same target it stands behind.
    pub behind: Option<i64>,
    /// Number of the wish that waits behind it.
    pub newer: Option<i64>,
    /// Its hosts, by wave and name.
    pub hosts: Vec<HostFacts>,
    /// Its jobs on hosts, oldest first.
    pub jobs: Vec<JobFacts>,
    /// Its migrations.
    pub migrations: MigrationFacts,
}
