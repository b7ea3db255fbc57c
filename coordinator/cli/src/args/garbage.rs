//! `gc` and `pin`: what is typed about what goes and what stays.

use clap::{Args, Subcommand};
use pointsman_shared::name::{ProjectName, TargetName};

use super::parse::{self, Scope};

/// `gc`
#[derive(Debug, Subcommand)]
pub enum GarbageCommand {
    /// Say what would go, and why the rest stays.
    Plan(PlanGarbage),
    /// Collect now: to the trash of each host, for good a day later.
    Run(RunGarbage),
    /// Bring a collected release back to the hosts of a target.
    Undo(UndoGarbage),
    /// Show when it happens by itself, or set it.
    Schedule(ScheduleGarbage),
}

/// `gc plan`
#[derive(Debug, Args)]
pub struct PlanGarbage {
    /// Only this project or target.
    #[arg(value_name = "PROJECT[@ENVIRONMENT]", value_parser = parse::scope)]
    pub scope: Option<Scope>,
    /// What stays, too, each with its reason.
    #[arg(long)]
    pub explain: bool,
}

/// `gc run`
#[derive(Debug, Args)]
pub struct RunGarbage {
    /// Only this project or target.
    #[arg(value_name = "PROJECT[@ENVIRONMENT]", value_parser = parse::scope)]
    pub scope: Option<Scope>,
    /// Only say what would go.
    #[arg(long)]
    pub dry_run: bool,
}

/// `gc undo`
#[derive(Debug, Args)]
pub struct UndoGarbage {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// Which release.
    pub release: String,
}

/// `gc schedule`
#[derive(Debug, Args)]
pub struct ScheduleGarbage {
    /// The project whose schedule is set.
    pub project: Option<ProjectName>,
    /// When, in UTC: five cron fields such as "0 3 * * *", or `never`.
    #[arg(requires = "project")]
    pub cron: Option<String>,
}

/// `pin` and `unpin`
#[derive(Debug, Args)]
pub struct Pin {
    /// The project.
    pub project: ProjectName,
    /// Which release.
    pub release: String,
}
