//! `pointsman.toml`: how a project is built, linked, migrated, activated and checked (design.md 5).
//!
//! A recipe is read once, from the built commit, and frozen with the release. Every mistake is an error that names
//! file, line and remedy, at the request: a typo never waits for a deployment. Unknown keys are mistakes, too.
//!
//! | key | default |
//! |---|---|
//! | `build.timeout`, `build.silence_timeout` | `30m`, `10m` |
//! | `build.cache_key` | empty: one cache per project |
//! | `build.include` | everything but `.git` and cache folders |
//! | `activate.timeout` (for each command) | `2m` |
//! | `health.passes`, `interval`, `deadline` | `3`, `1s`, `2m` |
//! | `health.asserts_release` | `true` |
//! | `migrations.post.after`, `start` | `7d`, `"manual"` |
//!
//! No `[build]`: the commit's tree is the release. No `[health]`: a host counts as healthy once its link was read back.

mod rules;
mod section;
mod sections;
#[cfg(test)]
mod tests;

use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::recipe::{BuildRecipe, HealthCheck, Hooks, SharedPath};
use pointsman_shared::wire::job::MigrationRunner;
use serde::{Deserialize, Serialize};

/// Name of the file in the repository (or in the project's folder of it).
pub const FILE_NAME: &str = "pointsman.toml";

/// Largest recipe, in bytes: its parts travel in messages.
pub const MAX_BYTES: usize = 32 * 1024;

/// A recipe, judged; stored frozen beside the release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// How to build; none = the commit's tree is the release.
    pub build: Option<BuildRecipe>,
    /// What is linked from `shared/`, sorted by path.
    pub shared: Vec<SharedPath>,
    /// The project's migrations.
    pub migrations: Migrations,
    /// Commands around the switch.
    pub hooks: Hooks,
    /// How the live release is checked.
    pub health: Option<HealthCheck>,
}

/// A project's migrations by phase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Migrations {
    /// All applied before the release may go live.
    pub pre: Option<MigrationRunner>,
    /// Run once the release has been live for a while.
    pub post: Option<PostMigrations>,
}

impl Migrations {
    /// With what a phase is run; none = the recipe has none.
    pub fn runner(&self, phase: MigrationPhase) -> Option<&MigrationRunner> {
        match phase {
            MigrationPhase::Pre => self.pre.as_ref(),
            MigrationPhase::Post => self.post.as_ref().map(|post| &post.runner),
            MigrationPhase::Hard => None,
        }
    }
}

/// Migrations that follow a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostMigrations {
    /// With what.
    pub runner: MigrationRunner,
    /// How long the release must have been live, in seconds.
    pub after_s: u64,
    /// Who starts them.
    pub start: PostStart,
}

/// Who starts post-migrations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostStart {
    /// A person.
    #[default]
    Manual,
    /// The scheduler, when their time has come.
    Auto,
}

/// A recipe that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct RecipeError {
    /// The file, as its path in the repository.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// Reads the recipe `text` of `file` (its path in the repository, for errors).
pub fn parse(file: &str, text: &str) -> Result<Recipe, RecipeError> {
    let at_top = |what: String, remedy: &str| RecipeError {
        file: file.to_owned(),
        line: 1,
        what,
        remedy: remedy.to_owned(),
    };
    if text.len() > MAX_BYTES {
        let what = format!("it has {} bytes, more than {MAX_BYTES}", text.len());
        return Err(at_top(
            what,
            "move long build steps into a script of the repository",
        ));
    }
    let table = toml::de::DeTable::parse(text).map_err(|error| RecipeError {
        file: file.to_owned(),
        line: section::line_of(text, error.span().map_or(0, |span| span.start)),
        what: error.message().to_owned(),
        remedy: "correct the TOML".to_owned(),
    })?;
    sections::recipe(&section::Source { file, text }, table.get_ref())
}
