//! Values for build steps and hosts.

use clap::{Args, Subcommand};
use pointsman_shared::name::{EnvironmentName, HostId, ProjectName, TargetName, VariableName};

use super::parse::{self, Pair};
use super::root::{Listed, Rows};

/// `variable`
#[derive(Debug, Subcommand)]
pub enum VariableCommand {
    /// Set values; the narrower scope wins: project < environment < target < host.
    Set(SetVariable),
    /// Remove values.
    Unset(UnsetVariable),
    /// List variables.
    #[command(alias = "list")]
    Ls(Rows),
}

impl Listed for VariableCommand {
    type List = Rows;

    fn listed(list: Rows) -> Self {
        Self::Ls(list)
    }
}

/// `variable set`
#[derive(Debug, Args)]
pub struct SetVariable {
    /// Where they hold.
    #[command(flatten)]
    pub scope: VariableScopeArgs,
    /// NAME=VALUE, one or more.
    #[arg(required_unless_present = "secret", value_name = "NAME=VALUE", value_parser = parse::pair)]
    pub values: Vec<Pair>,
    /// A secret, whose value is read from stdin: it never stands in an argument, where others could see it.
    #[arg(long, value_name = "NAME", conflicts_with = "values")]
    pub secret: Option<VariableName>,
}

/// `variable unset`
#[derive(Debug, Args)]
pub struct UnsetVariable {
    /// Where they hold.
    #[command(flatten)]
    pub scope: VariableScopeArgs,
    /// One or more names.
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<VariableName>,
}

/// The scope of variables; exactly one.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct VariableScopeArgs {
    /// Every target of a project.
    #[arg(long)]
    pub project: Option<ProjectName>,
    /// Every target in an environment.
    #[arg(long)]
    pub environment: Option<EnvironmentName>,
    /// One target.
    #[arg(long, value_name = "PROJECT@ENVIRONMENT")]
    pub target: Option<TargetName>,
    /// One host.
    #[arg(long)]
    pub host: Option<HostId>,
}
