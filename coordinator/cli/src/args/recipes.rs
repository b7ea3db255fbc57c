//! Recipes that the coordinator keeps.

use std::path::PathBuf;

use clap::Subcommand;
use pointsman_shared::api::recipes::RecipeSource;
use pointsman_shared::name::ProjectName;

use super::parse;
use super::root::Rows;

/// `recipe`
#[derive(Debug, Subcommand)]
pub enum RecipeCommand {
    /// Print a project's recipe as the coordinator keeps it, and say whether it counts.
    Show {
        /// The project.
        project: ProjectName,
        /// An older revision; the newest when absent.
        #[arg(long, value_name = "N")]
        revision: Option<u32>,
    },
    /// List its revisions, newest first.
    History {
        /// The project.
        project: ProjectName,
        /// How many.
        #[command(flatten)]
        rows: Rows,
    },
    /// Show what differs between two revisions.
    Diff {
        /// The project.
        project: ProjectName,
        /// The older one.
        from: u32,
        /// The newer one; the newest when absent.
        to: Option<u32>,
    },
    /// Keep a new revision. It counts once `recipe use` says so.
    Set {
        /// The project.
        project: ProjectName,
        /// A file in the form of pointsman.toml; - for stdin.
        #[arg(short, long, value_name = "FILE")]
        file: PathBuf,
        /// The revision that was changed; refused when there is a newer one by now.
        #[arg(long, value_name = "N")]
        base: Option<u32>,
    },
    /// Say what counts: pointsman.toml in the repository, or what the coordinator keeps.
    Use {
        /// The project.
        project: ProjectName,
        /// What counts.
        #[arg(value_parser = parse::word::<RecipeSource>(&["repository", "coordinator"]))]
        from: RecipeSource,
    },
}
