//! The typed parts of a recipe (`pointsman.toml`): how to build, link, activate and check a project.
//!
//! The types travel inside job bodies and lie frozen beside the release. Reading TOML and judging it happens in the
//! coordinator's domain; this module refuses to parse files.

use serde::{Deserialize, Serialize};

/// How a release is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildRecipe {
    /// Shell strings, one shell each, in a clean checkout.
    pub steps: Vec<String>,
    /// Folders kept between builds, relative to the checkout.
    pub cache: Vec<String>,
    /// Files whose contents name the cache; empty = one cache per project.
    pub cache_key: Vec<String>,
    /// Globs of what goes into the release; empty = everything but `.git` and cache folders.
    pub include: Vec<String>,
    /// Total time for all steps, in seconds.
    pub timeout_s: u64,
    /// Longest silence of a step, in seconds.
    pub silence_timeout_s: u64,
    /// Whether the pinned commits of submodules are part of the checkout; a body that says so has version 2.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub submodules: bool,
}

/// An argv; never a shell string.
pub type Argv = Vec<String>;

/// Commands around the switch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// Before the switch; a failure leaves everything as it was.
    pub before: Vec<Argv>,
    /// After the switch.
    pub after: Vec<Argv>,
    /// Total time for each command, in seconds.
    pub timeout_s: u64,
}

/// How the live release is asked whether it is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// What is asked.
    pub probe: Probe,
    /// Passes in a row that make it healthy.
    pub passes: u32,
    /// Pause between two probes, in milliseconds.
    pub interval_ms: u64,
    /// Time for the whole check, in milliseconds.
    pub deadline_ms: u64,
    /// Whether the answer must name the release.
    pub asserts_release: bool,
}

/// What a health check asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "probe", rename_all = "snake_case", deny_unknown_fields)]
pub enum Probe {
    /// GET a URL; `${NAME}` expands variables; 2xx passes.
    Http {
        /// The URL before expansion.
        url: String,
    },
    /// Run a command; exit 0 passes.
    Command {
        /// The argv before expansion.
        argv: Argv,
    },
}

/// A file or folder that outlives releases, linked from `shared/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedPath {
    /// Path inside the release, without a closing slash.
    pub path: String,
    /// Folders are made when missing; missing files fail the deployment before any host switches.
    pub folder: bool,
}
