//! Projects, environments, targets, variables and the document that describes them together.

use std::collections::BTreeMap;

mod gate;
mod push_pattern;
mod tickets;
mod variable;

pub use gate::Gate;
pub use push_pattern::PushPattern;
pub use tickets::Tickets;
pub use variable::{Variable, VariableRef, VariableScope};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::api::pushes::PushPause;
use crate::name::{EnvironmentName, HostId, ProjectName, ReleaseFolder, ReleaseLabel, RootPath, TargetName};
use crate::outcome::JobKind;
use crate::repository::RepositoryUrl;

/// `POST /api/v1/projects`, and `[[project]]` of an applied file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// Its name.
    pub name: ProjectName,
    /// Where its source is.
    pub repository: RepositoryUrl,
    /// The folder of the repository that is the project.
    #[serde(default)]
    pub subdirectory: Option<String>,
    /// The pool that builds it; `default` when absent.
    #[serde(default)]
    pub pool: Option<crate::name::PoolName>,
    /// How its commits name tickets; what is there stays when absent.
    #[serde(default)]
    pub tickets: Option<Tickets>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Project {
    /// Its name.
    pub name: ProjectName,
    /// Where its source is, without credentials.
    pub repository: String,
    /// The folder of the repository that is the project.
    pub subdirectory: Option<String>,
    /// The pool that builds it.
    pub pool: crate::name::PoolName,
    /// How its commits name tickets, and where those are.
    #[serde(default)]
    pub tickets: Option<Tickets>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// `POST /api/v1/environments`, and `[[environment]]` of an applied file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewEnvironment {
    /// Its name.
    pub name: EnvironmentName,
    /// Its place in the promotion order, from 0.
    #[serde(default)]
    pub position: i32,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Its place in the promotion order.
    pub position: i32,
}

/// What happens when a deployment fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Pause and wait for a person.
    #[default]
    Hold,
    /// Roll back every host whose activate left `queued`; hold where there is no previous good release.
    Rollback,
    /// Go on with the next hosts.
    Continue,
}

/// How a deployment goes over its hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Strategy {
    /// Wave sizes: numbers or percentages, `["1", "25%", "100%"]`; percentages round up, the last wave takes the rest.
    pub waves: Vec<String>,
    /// Hosts between switch and healthy at once, inside a wave; 0 = no limit but the wave.
    pub max_unavailable: u32,
    /// Failed hosts allowed over the whole deployment.
    pub max_failures: u32,
    /// What happens beyond that.
    pub on_failure: OnFailure,
}

impl Default for Strategy {
    fn default() -> Self {
        Self {
            waves: vec!["100%".to_owned()],
            max_unavailable: 0,
            max_failures: 0,
            on_failure: OnFailure::Hold,
        }
    }
}

/// What stays on a target's hosts beyond what is kept always (live, previous good, pinned, in flight).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// The newest so many releases that were live and healthy.
    pub keep: u32,
    /// Everything built within so many hours.
    pub min_age_hours: u32,
}

impl Default for Retention {
    /// Five, and a week.
    fn default() -> Self {
        Self {
            keep: 5,
            min_age_hours: 7 * 24,
        }
    }
}

/// What becomes of a wish for a target with an open deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WhenBusy {
    /// It waits; a newer one takes the place of one that waits.
    #[default]
    Queue,
    /// The open one is cancelled, as long as it has switched no host and no migration runs; else it waits.
    Supersede,
    /// It is refused.
    Refuse,
}

/// `POST /api/v1/targets`, and `[[target]]` of an applied file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewTarget {
    /// Its project.
    pub project: ProjectName,
    /// Its environment.
    pub environment: EnvironmentName,
    /// Labels a host must have, all of them.
    pub hosts: BTreeMap<String, String>,
    /// The root on every host; `/srv/<project>` when absent. `${HOST}` in it stands for the host's id, for hosts that
    /// share a file system.
    #[serde(default)]
    pub root: Option<RootPath>,
    /// How deployments go over the hosts.
    #[serde(default)]
    pub strategy: Strategy,
    /// What stays on the hosts.
    #[serde(default)]
    pub retention: Retention,
    /// What a release must have before it may go live here.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// What becomes of a wish while another deployment is open.
    #[serde(default)]
    pub when_busy: WhenBusy,
    /// Branches and tags whose pushes are deployed here by themselves.
    #[serde(default)]
    pub on_push: Vec<PushPattern>,
}

/// A target and what is live on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// Labels a host must have.
    pub hosts: BTreeMap<String, String>,
    /// The root on every host.
    pub root: RootPath,
    /// How deployments go over the hosts.
    pub strategy: Strategy,
    /// What stays on the hosts.
    #[serde(default)]
    pub retention: Retention,
    /// What a release must have before it may go live here.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// What becomes of a wish while another deployment is open.
    #[serde(default)]
    pub when_busy: WhenBusy,
    /// Branches and tags whose pushes are deployed here by themselves.
    #[serde(default)]
    pub on_push: Vec<PushPattern>,
    /// What holds pushes back.
    #[serde(default)]
    pub push_pauses: Vec<PushPause>,
    /// The release that should be live, by label.
    pub desired: Option<ReleaseLabel>,
    /// Number of the open deployment.
    pub open_deployment: Option<i64>,
    /// Whether that deployment waits for a person.
    #[serde(default)]
    pub paused: bool,
    /// Each host's own facts.
    pub placements: Vec<Placement>,
}

/// What is known of a target on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Placement {
    /// The host.
    pub host: HostId,
    /// The root.
    pub root: RootPath,
    /// The release that should be live.
    pub desired: Option<ReleaseLabel>,
    /// The release last tried.
    pub attempted: Option<ReleaseLabel>,
    /// The release read back from the host, by label.
    pub confirmed: Option<ReleaseLabel>,
    /// The folder read back from the host.
    pub current: Option<ReleaseFolder>,
    /// Number of the newest decision.
    pub generation: u64,
    /// Generation the host last reported.
    pub fence_generation: Option<u64>,
    /// `healthy`, `unhealthy` or `unknown`.
    pub health: String,
    /// What differs from what was decided, for people.
    pub drift: Option<String>,
    /// Whether the host is seen.
    pub seen: bool,
    /// Whether it is seen and missed more than two of its own beats.
    #[serde(default)]
    pub late: bool,
    /// Whether its agent said that it ends.
    #[serde(default)]
    pub stopped: bool,
    /// When it was last heard.
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// `PUT /api/v1/apply`: all of it or nothing; what exists is updated, what is absent is left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// Projects.
    #[serde(rename = "project")]
    pub projects: Vec<NewProject>,
    /// Environments.
    #[serde(rename = "environment")]
    pub environments: Vec<NewEnvironment>,
    /// Targets.
    #[serde(rename = "target")]
    pub targets: Vec<NewTarget>,
    /// Variables.
    #[serde(rename = "variable")]
    pub variables: Vec<Variable>,
}

/// Answer of `PUT /api/v1/apply`: one line per thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Applied {
    /// Such as `project shop: created`.
    pub changes: Vec<Change>,
}

/// What became of one thing of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// `project`, `environment`, `target` or `variable`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `created`, `updated` or `unchanged`.
    pub change: String,
}

/// Kinds a host may be offered when its join token named none.
pub const DEFAULT_HOST_KINDS: [JobKind; 5] = [
    JobKind::Install,
    JobKind::Activate,
    JobKind::Rollback,
    JobKind::Migrate,
    JobKind::CollectGarbage,
];
