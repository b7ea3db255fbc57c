//! `migrations`: what is typed to look at and change a target's migrations.

use clap::{Args, Subcommand};
use pointsman_shared::migration::{MigrationName, MigrationPhase};
use pointsman_shared::name::TargetName;

use super::deploy::Follow;
use super::parse;

const PHASES: &[&str] = &["pre", "post"];

/// `migrations`
#[derive(Debug, Subcommand)]
pub enum MigrationsCommand {
    /// List the migrations of a target, as its ledger had them when it was last read.
    #[command(alias = "list")]
    Ls(ListMigrations),
    /// Apply what is pending: pre-migrations at any time, post-migrations when their time has come.
    Apply(ApplyMigrations),
    /// Take back the newest one, where it has a way back.
    Revert(OneMigration),
    /// Read the ledger again.
    Look(LookAtMigrations),
    /// Say what you found about one whose end nobody saw.
    Mark(MarkMigration),
}

/// `migrations ls`
#[derive(Debug, Args)]
pub struct ListMigrations {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// Of this release; the live one when absent.
    #[arg(long)]
    pub release: Option<String>,
}

/// `migrations apply`
#[derive(Debug, Args)]
pub struct ApplyMigrations {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// Only this one; all that are pending when absent.
    pub migration: Option<MigrationName>,
    /// Of this release; the live one when absent.
    #[arg(long)]
    pub release: Option<String>,
    /// Which ones.
    #[arg(long, default_value = "pre", value_parser = parse::word::<MigrationPhase>(PHASES))]
    pub phase: MigrationPhase,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// `migrations look`
#[derive(Debug, Args)]
pub struct LookAtMigrations {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// Which ones.
    #[arg(long, default_value = "pre", value_parser = parse::word::<MigrationPhase>(PHASES))]
    pub phase: MigrationPhase,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// `migrations revert`
#[derive(Debug, Args)]
pub struct OneMigration {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// Which one.
    pub migration: MigrationName,
    /// Its phase.
    #[arg(long, default_value = "pre", value_parser = parse::word::<MigrationPhase>(PHASES))]
    pub phase: MigrationPhase,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// `migrations mark`
#[derive(Debug, Args)]
pub struct MarkMigration {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// Which one.
    pub migration: MigrationName,
    /// What you found in the database.
    #[arg(value_parser = parse::word::<Found>(&["applied", "pending"]))]
    pub found: Found,
    /// Its phase.
    #[arg(long, default_value = "pre", value_parser = parse::word::<MigrationPhase>(PHASES))]
    pub phase: MigrationPhase,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// What a person found in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It took effect.
    Applied,
    /// It left nothing behind.
    Pending,
}
