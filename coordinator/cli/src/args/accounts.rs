//! Accounts of people who sign in to the dashboard.

use clap::{Args, Subcommand};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::name::ProjectName;

use super::parse;
use super::root::Listed;

/// What the listing takes: nothing, there are as many accounts as people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub struct NoOptions {}

/// `account`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// List accounts.
    #[command(alias = "list")]
    Ls(NoOptions),
    /// Invite a person; the link is shown once, alone on stdout.
    Invite {
        /// The name they will sign in by; they choose it when absent.
        name: Option<String>,
        /// What they may do everywhere; none = nothing but in their projects.
        #[arg(long, default_value = "viewer", value_parser = parse::word::<RoleName>(&["none", "viewer", "deployer", "maintainer", "admin"]))]
        role: RoleName,
        /// A higher role in one project; can be given again.
        #[arg(long, value_name = "PROJECT=ROLE", value_parser = parse::project_role)]
        project: Vec<(ProjectName, RoleName)>,
    },
    /// Change what a person may do, everywhere or in one project.
    Role {
        /// The account.
        name: String,
        /// What it may do from now on; in a project, none = no more than everywhere.
        #[arg(value_parser = parse::word::<RoleName>(&["none", "viewer", "deployer", "maintainer", "admin"]))]
        role: RoleName,
        /// Only in this project; the higher of the two roles counts there.
        #[arg(long)]
        project: Option<ProjectName>,
    },
    /// Let a person choose another password; the link is shown once, alone on stdout.
    Reset {
        /// The account.
        name: String,
    },
    /// Keep a person from signing in; their sessions end.
    Disable {
        /// The account.
        name: String,
    },
    /// Let a person sign in again.
    Enable {
        /// The account.
        name: String,
    },
}

impl Listed for AccountCommand {
    type List = NoOptions;

    fn listed(list: NoOptions) -> Self {
        Self::Ls(list)
    }
}
