//! The body of a job: what is asked of an agent, typed per kind, never a command line.
//!
//! A body is serialized once, when the job is created; those bytes and their SHA-256 are stored, offered and granted.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{DeploymentId, Generation, JobId, PlacementId, ProjectId, ReleaseId, TargetId};
use crate::migration::{MigrationName, MigrationPhase};
use crate::name::{
    EnvironmentName, HostId, PoolName, ProjectName, ReleaseFolder, ReleaseLabel, RootPath, SlotName,
};
use crate::outcome::JobKind;
use crate::recipe::{Argv, BuildRecipe, HealthCheck, Hooks, SharedPath};
use crate::repository::{CommitId, RepositoryUrl};

/// What the coordinator wants done, frozen at creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobBody {
    /// Its version; see [`super::BODY_VERSIONS`] and [`Order::version`].
    pub v: u16,
    /// The job.
    pub job: JobId,
    /// Its number for people.
    pub number: i64,
    /// The coordinator's installation that issued it.
    pub installation: String,
    /// Who may take it.
    pub audience: Audience,
    /// The project.
    pub project: ProjectName,
    /// The project's id.
    pub project_id: ProjectId,
    /// The environment, for work on a target.
    pub environment: Option<EnvironmentName>,
    /// The target, for work on a target.
    pub target_id: Option<TargetId>,
    /// The deployment that caused it.
    pub deployment: Option<DeploymentId>,
    /// What else it was decided from: recipe, settings, profile.
    pub inputs: Vec<Input>,
    /// The order itself.
    pub order: Order,
}

/// Who may take a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Audience {
    /// Exactly this host.
    Host(HostId),
    /// Any agent of this pool.
    Pool(PoolName),
}

/// A document a job was decided from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `recipe`, `settings` or `profile`.
    pub kind: String,
    /// Id of the document, when the coordinator stores it.
    pub id: Option<uuid::Uuid>,
    /// Its revision.
    pub revision: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// The order, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Make a release.
    Build(Box<BuildOrder>),
    /// Put a release on the host.
    Install(Box<InstallOrder>),
    /// Switch to a release.
    Activate(Box<SwitchOrder>),
    /// Switch back to an older good release.
    Rollback(Box<SwitchOrder>),
    /// Apply, revert or list migrations.
    Migrate(Box<MigrateOrder>),
    /// Delete releases nobody needs.
    CollectGarbage(Box<CollectOrder>),
    /// Delete what builds left behind and none used for long.
    CollectWorkshop(Box<WorkshopOrder>),
}

impl Order {
    /// The kind of this order.
    pub const fn kind(&self) -> JobKind {
        match self {
            Self::Build(_) => JobKind::Build,
            Self::Install(_) => JobKind::Install,
            Self::Activate(_) => JobKind::Activate,
            Self::Rollback(_) => JobKind::Rollback,
            Self::Migrate(_) => JobKind::Migrate,
            Self::CollectGarbage(_) | Self::CollectWorkshop(_) => JobKind::CollectGarbage,
        }
    }

    /// The lowest version of a body that can say this.
    pub fn version(&self) -> u16 {
        let asks_more = match self {
            Self::Build(order) => order.recipe.as_ref().is_some_and(|recipe| recipe.submodules),
            Self::Install(_)
            | Self::Activate(_)
            | Self::Rollback(_)
            | Self::Migrate(_)
            | Self::CollectGarbage(_) => false,
            Self::CollectWorkshop(_) => true,
        };
        if asks_more { 2 } else { 1 }
    }
}

/// Make a release from a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildOrder {
    /// The release to make.
    pub release: ReleaseId,
    /// Its number in the project.
    pub release_number: u32,
    /// What people call it.
    pub label: ReleaseLabel,
    /// Where the source is.
    pub repository: RepositoryUrl,
    /// The folder of the repository that is the project; none = all of it.
    pub subdirectory: Option<String>,
    /// The pinned commit.
    pub commit: CommitId,
    /// How to build; none = the commit's tree is the release.
    pub recipe: Option<BuildRecipe>,
    /// Paths the release leaves to `shared/`.
    pub shared: Vec<SharedPath>,
    /// Stream of the job's log.
    pub log_stream: crate::ids::StreamId,
}

/// Put a release on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallOrder {
    /// Where.
    pub placement: PlacementId,
    /// The placement's root.
    pub root: RootPath,
    /// Which release.
    pub release: ReleaseId,
    /// Its folder.
    pub folder: ReleaseFolder,
    /// Release digest: the manifest object's digest.
    pub manifest: Digest,
    /// The archive object's digest.
    pub archive: Digest,
    /// The packing object's digest.
    pub packing: Digest,
    /// Size of the archive in bytes.
    pub archive_bytes: u64,
    /// Sum of file sizes in bytes.
    pub total_bytes: u64,
    /// Number of manifest entries.
    pub entries: u64,
    /// Links to make into `shared/`.
    pub shared: Vec<SharedPath>,
    /// Stream of the job's log.
    pub log_stream: crate::ids::StreamId,
}

/// Switch a slot of a placement to an installed release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchOrder {
    /// Where.
    pub placement: PlacementId,
    /// The placement's root.
    pub root: RootPath,
    /// Which link.
    pub slot: SlotName,
    /// The decision's number; the host refuses a lower one.
    pub generation: Generation,
    /// Which release.
    pub release: ReleaseId,
    /// Its folder.
    pub folder: ReleaseFolder,
    /// Its label, for environment variables and logs.
    pub label: ReleaseLabel,
    /// Its commit, which health checks may assert.
    pub commit: CommitId,
    /// Release digest.
    pub manifest: Digest,
    /// Commands around the switch, from the release's frozen recipe.
    pub hooks: Hooks,
    /// The health check, from the release's frozen recipe.
    pub health: Option<HealthCheck>,
    /// Stream of the job's log.
    pub log_stream: crate::ids::StreamId,
}

/// What a migrate job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MigrateMode {
    /// Apply what is pending, in order.
    Apply,
    /// Revert one.
    Revert,
    /// Read the ledger.
    List,
    /// A person says that one whose end nobody saw took effect.
    MarkApplied,
    /// A person says that one whose end nobody saw left nothing behind.
    MarkPending,
}

impl MigrateMode {
    /// Every mode.
    pub const ALL: [Self; 5] = [
        Self::Apply,
        Self::Revert,
        Self::List,
        Self::MarkApplied,
        Self::MarkPending,
    ];

    /// The name used on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Revert => "revert",
            Self::List => "list",
            Self::MarkApplied => "mark_applied",
            Self::MarkPending => "mark_pending",
        }
    }
}

/// One migration by name and checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigrationRef {
    /// Its name, without the ending.
    pub name: MigrationName,
    /// SHA-256 of its script.
    pub checksum: Digest,
}

/// How a project's migrations are run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "runner", rename_all = "snake_case", deny_unknown_fields)]
pub enum MigrationRunner {
    /// The built-in runner for PostgreSQL.
    Sql {
        /// Folder of scripts inside the release.
        folder: String,
        /// Database URL before expansion of variables.
        database_url: String,
    },
    /// The project's own tool.
    Commands {
        /// Prints `applied<TAB>name` or `pending<TAB>name`.
        list: Argv,
        /// Applies the one named as last argument.
        apply: Argv,
        /// Reverts the one named as last argument.
        revert: Option<Argv>,
    },
}

/// Work on a project's migrations, on one host of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigrateOrder {
    /// Where the release is installed.
    pub placement: PlacementId,
    /// The placement's root.
    pub root: RootPath,
    /// The release whose scripts are run.
    pub release: ReleaseId,
    /// Its folder.
    pub folder: ReleaseFolder,
    /// What to do.
    pub mode: MigrateMode,
    /// Which phase.
    pub phase: MigrationPhase,
    /// Which migrations, in order; none = all that the release has and the ledger does not.
    pub migrations: Vec<MigrationRef>,
    /// With what.
    pub runner: MigrationRunner,
    /// Stream of the job's log.
    pub log_stream: crate::ids::StreamId,
}

/// Delete releases from a placement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectOrder {
    /// Where.
    pub placement: PlacementId,
    /// The placement's root.
    pub root: RootPath,
    /// The fence generation of each slot when this was decided; the host refuses when one differs.
    pub fences: Vec<SlotFence>,
    /// Folders to move to the trash.
    pub folders: Vec<ReleaseFolder>,
    /// Stream of the job's log.
    pub log_stream: crate::ids::StreamId,
}

/// Delete mirrors and build caches of a builder that no build used for as long as its own configuration says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkshopOrder {
    /// Stream of the job's log.
    pub log_stream: crate::ids::StreamId,
}

/// A slot and the generation of its fence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotFence {
    /// The slot.
    pub slot: SlotName,
    /// Its fence's generation.
    pub generation: Generation,
}
