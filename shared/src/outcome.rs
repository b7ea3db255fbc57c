//! How a job ended, typed by phase, so that "your command failed", "we stopped it" and "it never ran" stay apart.

use serde::{Deserialize, Serialize};

/// Kinds of work an agent can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Make a release from a commit.
    Build,
    /// Put a release on a host.
    Install,
    /// Switch a placement to a release.
    Activate,
    /// Switch a placement back to an older good release.
    Rollback,
    /// Apply, revert or list migrations.
    Migrate,
    /// Delete releases nobody needs.
    CollectGarbage,
}

impl JobKind {
    /// Every kind, in the order of the journey.
    pub const ALL: [Self; 6] = [
        Self::Build,
        Self::Install,
        Self::Activate,
        Self::Rollback,
        Self::Migrate,
        Self::CollectGarbage,
    ];

    /// The name used on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Install => "install",
            Self::Activate => "activate",
            Self::Rollback => "rollback",
            Self::Migrate => "migrate",
            Self::CollectGarbage => "collect_garbage",
        }
    }

    /// Whether the kind changes what is live.
    pub const fn is_switch(self) -> bool {
        matches!(self, Self::Activate | Self::Rollback)
    }
}

impl std::fmt::Display for JobKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for JobKind {
    type Err = crate::name::InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| crate::name::InvalidName {
                what: "job kind",
                text: text.chars().take(80).collect(),
                rule: "one of build, install, activate, rollback, migrate, collect_garbage",
            })
    }
}

/// Where in its work a job failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No agent took the job in time.
    NoAgent,
    /// Every allowed epoch was lost.
    Exhausted,
    /// The host's policy or fence refused the order.
    Refused,
    /// Reading the repository.
    Checkout,
    /// A build step.
    Build,
    /// Describing and packing the tree.
    Pack,
    /// Sending to the artifact store.
    Upload,
    /// Fetching from the artifact store.
    Download,
    /// Unpacking, linking and verifying on the host.
    Install,
    /// A hook before the switch; nothing was switched.
    BeforeHook,
    /// The switch itself.
    Switch,
    /// A hook after the switch; the release is live.
    AfterHook,
    /// The health check after the switch.
    Health,
    /// A migration.
    Migrate,
    /// Collecting garbage.
    Collect,
}

/// Why a child process is gone, apart from its exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    /// It ended by itself.
    Finished,
    /// We ended it: total time was up.
    TimedOut,
    /// We ended it: it printed nothing for too long.
    Silent,
    /// We ended it: the job was cancelled.
    Cancelled,
    /// We ended it: the lease could not be renewed.
    LeaseLost,
    /// We ended it: it printed more than allowed.
    OutputLimit,
    /// It could not be started.
    NotStarted,
}

/// How a child process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessExit {
    /// Exit status, when it exited.
    pub status: Option<i32>,
    /// Signal number, when a signal ended it.
    pub signal: Option<i32>,
    /// Why it is gone.
    pub reason: ExitReason,
}

/// What a job did to the thing it was to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing changed.
    None,
    /// The change is complete and durable.
    Done,
    /// Something may have changed; the host will say so in its next state report.
    Unknown,
}

/// How a job ended, told by the agent that ran it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// All of it was done.
    Succeeded {
        /// What the job made.
        product: Product,
    },
    /// It failed.
    Failed {
        /// Where.
        phase: Phase,
        /// A stable code such as `disk_full`, `shared_missing`, `fence_refused`.
        code: String,
        /// One line for people: what, where, why, what to do.
        message: String,
        /// The child's end, when a child failed.
        exit: Option<ProcessExit>,
        /// What had been changed when it failed.
        effect: Effect,
    },
    /// It was cancelled before its point of no return and changed nothing.
    Cancelled,
}

/// What a successful job made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "product", rename_all = "snake_case", deny_unknown_fields)]
pub enum Product {
    /// A built release.
    Release {
        /// Digest of the canonical manifest: the release digest.
        manifest: crate::digest::Digest,
        /// Digest of the archive.
        archive: crate::digest::Digest,
        /// Digest of packing.json.
        packing: crate::digest::Digest,
        /// Size of the archive in bytes.
        archive_bytes: u64,
        /// Sum of file sizes in bytes.
        total_bytes: u64,
        /// Number of manifest entries.
        entries: u64,
    },
    /// An installed release.
    Installed {
        /// Whether it was there already, verified.
        reused: bool,
    },
    /// A switched placement.
    Switched {
        /// The release folder that was live before.
        from: Option<crate::name::ReleaseFolder>,
        /// What `current` was read back as.
        current: crate::name::ReleaseFolder,
    },
    /// Collected garbage.
    Collected {
        /// Releases that were set aside; they can come back for a day.
        trashed: Vec<TrashedFolder>,
        /// Releases that stay because somebody on the host uses them.
        kept: Vec<KeptFolder>,
        /// Releases that were deleted out of the trash for good.
        purged: u64,
        /// What that freed, in bytes.
        purged_bytes: u64,
    },
    /// Collected mirrors and build caches; only ever the answer to an order of version 2.
    WorkshopCollected {
        /// What went, the first hundred.
        gone: Vec<GoneFolder>,
        /// How many more went.
        more: u64,
        /// What all of it was, in bytes.
        bytes: u64,
    },
    /// Nothing to name.
    Nothing,
}

/// What a folder of a builder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkshopFolder {
    /// What a project's builds keep, by the contents of `cache_key`.
    Cache,
    /// A mirror of a repository.
    Mirror,
}

impl WorkshopFolder {
    /// The name for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Mirror => "mirror",
        }
    }
}

/// A folder that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GoneFolder {
    /// What it was.
    pub kind: WorkshopFolder,
    /// Its name: a digest.
    pub name: String,
    /// What it took on the disk.
    pub bytes: u64,
    /// Why, for people.
    pub reason: String,
}

/// A release that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrashedFolder {
    /// Its folder.
    pub folder: crate::name::ReleaseFolder,
    /// Sum of its file sizes.
    pub bytes: u64,
}

/// A release that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptFolder {
    /// Its folder.
    pub folder: crate::name::ReleaseFolder,
    /// Who uses it, for people.
    pub reason: String,
}
