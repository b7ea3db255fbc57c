//! What is set up and looked at: projects, targets, hosts, jobs, tokens, variables.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::{Gate, OnFailure, PushPattern, WhenBusy};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::name::{EnvironmentName, HostId, PoolName, ProjectName, RootPath, TargetName};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::repository::RepositoryUrl;

use super::deploy::{ON_FAILURE, WHEN_BUSY};
use super::keys::KeyCommand;
use super::parse::{self, Pair};
use super::root::{Listed, Rows};

/// `project`
#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Create a project.
    Create {
        /// Its name.
        name: ProjectName,
        /// Where its source is: https, ssh, or a folder of the coordinator's machine.
        #[arg(long, alias = "repo", value_name = "ADDRESS")]
        repository: RepositoryUrl,
        /// The folder of the repository that is the project.
        #[arg(long, value_name = "FOLDER")]
        subdirectory: Option<String>,
        /// The pool that builds it.
        #[arg(long)]
        pool: Option<PoolName>,
    },
    /// List projects.
    #[command(alias = "ls")]
    List(Rows),
    /// Show a project.
    Show {
        /// Its name.
        name: ProjectName,
    },
    /// Branches and tags as last fetched, and how far each is built.
    Refs {
        /// The project.
        name: ProjectName,
        /// Fetch first.
        #[arg(long)]
        fetch: bool,
        /// The newest commits of this branch that are not built, instead.
        #[arg(long, value_name = "BRANCH")]
        branch: Option<String>,
    },
    /// Say how its commits name tickets and where those are; plans and deployments link them then.
    Tickets {
        /// Its name.
        name: ProjectName,
        /// What fits the name of a ticket, such as 'SHOP-\d+'; a group in it is what the address takes.
        #[arg(
            long,
            value_name = "REGEX",
            requires = "link",
            required_unless_present = "none"
        )]
        pattern: Option<String>,
        /// The address of a ticket, with {} in its place.
        #[arg(long, value_name = "ADDRESS", requires = "pattern")]
        link: Option<String>,
        /// Link none any more.
        #[arg(long, conflicts_with_all = ["pattern", "link"])]
        none: bool,
    },
    /// The ssh key of its repository.
    #[command(subcommand)]
    Key(KeyCommand),
}

impl Listed for ProjectCommand {
    type List = Rows;

    fn listed(list: Rows) -> Self {
        Self::List(list)
    }
}

/// `environment`
#[derive(Debug, Subcommand)]
pub enum EnvironmentCommand {
    /// Create an environment.
    Create {
        /// Its name.
        name: EnvironmentName,
        /// Its place in the promotion order, from 0.
        #[arg(long, default_value_t = 0)]
        position: i32,
    },
    /// List environments, in the order of promotion.
    #[command(alias = "ls")]
    List(Rows),
}

impl Listed for EnvironmentCommand {
    type List = Rows;

    fn listed(list: Rows) -> Self {
        Self::List(list)
    }
}

/// `target`
#[derive(Debug, Subcommand)]
pub enum TargetCommand {
    /// Create a target.
    Create {
        /// Its name.
        #[arg(value_name = "PROJECT@ENVIRONMENT")]
        name: TargetName,
        /// Labels a host must have, all of them, such as role=web.
        #[arg(long, required = true, value_name = "LABELS", value_delimiter = ',', value_parser = parse::pair)]
        hosts: Vec<Pair>,
        /// The root on every host; /srv/PROJECT when absent.
        #[arg(long)]
        root: Option<RootPath>,
        /// Wave sizes, such as 1,25%,100%.
        #[arg(long, value_name = "SIZES", value_delimiter = ',')]
        waves: Option<Vec<String>>,
        /// Hosts between switch and healthy at once, inside a wave; 0 = no limit.
        #[arg(long, value_name = "N", default_value_t = 0)]
        max_unavailable: u32,
        /// Failed hosts allowed over the whole deployment.
        #[arg(long, value_name = "N", default_value_t = 0)]
        max_failures: u32,
        /// What happens beyond that.
        #[arg(long, value_name = "POLICY", default_value = "hold", value_parser = parse::word::<OnFailure>(ON_FAILURE))]
        on_failure: OnFailure,
        /// Good releases that stay on the hosts beyond those that are always kept.
        #[arg(long, value_name = "N", default_value_t = 5)]
        keep: u32,
        /// Hours that every release stays after its build.
        #[arg(long, value_name = "HOURS", default_value_t = 168)]
        min_age_hours: u32,
        /// What a release must have before it may go live here: `previous_live`, `mark:NAME`.
        #[arg(long, value_name = "GATES", value_delimiter = ',', value_parser = parse::gate)]
        gates: Vec<Gate>,
        /// What becomes of a wish while another deployment is open.
        #[arg(long, value_name = "POLICY", default_value = "queue", value_parser = parse::word::<WhenBusy>(WHEN_BUSY))]
        when_busy: WhenBusy,
        /// Branches and tags whose pushes are deployed here by themselves, such as main,release/*,tag:v*.
        #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
        on_push: Vec<PushPattern>,
    },
    /// List targets.
    #[command(alias = "ls")]
    List(Rows),
    /// Show a target, host by host.
    Show {
        /// Its name.
        #[arg(value_name = "PROJECT@ENVIRONMENT")]
        name: TargetName,
    },
}

impl Listed for TargetCommand {
    type List = Rows;

    fn listed(list: Rows) -> Self {
        Self::List(list)
    }
}

/// `hosts`
#[derive(Debug, Subcommand)]
pub enum HostsCommand {
    /// List hosts.
    #[command(alias = "list")]
    Ls(Rows),
    /// Show a host.
    Show {
        /// Its id.
        host: HostId,
    },
    /// Make a one-time token with which a host may join.
    #[command(alias = "join-token")]
    Invite(InviteHost),
    /// Let a host rest: it gets nothing new and finishes what it does.
    #[command(visible_alias = "drain")]
    Pause {
        /// Its id.
        host: HostId,
    },
    /// Let a paused host go on.
    Resume {
        /// Its id.
        host: HostId,
    },
    /// Take a host's key away; its agent is shut out until it joins again.
    Revoke {
        /// Its id.
        host: HostId,
    },
}

impl Listed for HostsCommand {
    type List = Rows;

    fn listed(list: Rows) -> Self {
        Self::Ls(list)
    }
}

/// `hosts invite`
#[derive(Debug, Args)]
pub struct InviteHost {
    /// Its id, fixed for good.
    pub host: HostId,
    /// Labels it gets, such as role=web,zone=a.
    #[arg(long, value_name = "LABELS", value_delimiter = ',', value_parser = parse::pair)]
    pub labels: Vec<Pair>,
    /// Pools it builds for.
    #[arg(long, value_name = "POOLS", value_delimiter = ',')]
    pub pools: Vec<PoolName>,
    /// Kinds of jobs it may be offered; without pools everything but builds when absent.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = clap::value_parser!(JobKind))]
    pub kinds: Vec<JobKind>,
    /// How long the token is valid.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse::duration)]
    pub ttl: Duration,
}

/// `jobs`
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, newest first.
    #[command(alias = "list")]
    Ls(ListJobs),
    /// List messages that were refused: nothing was done of what they said.
    Dead(Rows),
    /// Show a job and its steps.
    Show {
        /// Its number.
        #[arg(value_parser = parse::number)]
        number: i64,
    },
    /// Cancel a job.
    Cancel {
        /// Its number.
        #[arg(value_parser = parse::number)]
        number: i64,
    },
}

impl Listed for JobsCommand {
    type List = ListJobs;

    fn listed(list: ListJobs) -> Self {
        Self::Ls(list)
    }
}

/// `jobs ls`
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct ListJobs {
    /// Only in this state.
    #[arg(long, value_parser = parse::word::<JobState>(&[
        "queued", "offered", "running", "deferred", "indeterminate",
        "succeeded", "failed", "cancelled", "superseded", "abandoned",
    ]))]
    pub state: Option<JobState>,
    /// Only of this deployment.
    #[arg(long, value_name = "NUMBER", value_parser = parse::number)]
    pub deployment: Option<i64>,
    /// How many.
    #[command(flatten)]
    pub rows: Rows,
}

/// `token`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is shown once, alone on stdout.
    Create {
        /// Its name in the audit trail.
        name: String,
        /// What it may do everywhere; none = nothing but in its projects.
        #[arg(long, default_value = "viewer", value_parser = parse::word::<RoleName>(&["none", "viewer", "deployer", "maintainer", "admin"]))]
        role: RoleName,
        /// A higher role in one project; can be given again.
        #[arg(long, value_name = "PROJECT=ROLE", value_parser = parse::project_role)]
        project: Vec<(ProjectName, RoleName)>,
        /// How long it is valid; 90 when absent, 90 at most; 365 where it only reads (viewer).
        #[arg(long)]
        days: Option<u32>,
    },
    /// List tokens.
    #[command(alias = "list")]
    Ls(Rows),
    /// Make a token void.
    Revoke {
        /// Its public part, as in `token ls`.
        id: String,
    },
}

impl Listed for TokenCommand {
    type List = Rows;

    fn listed(list: Rows) -> Self {
        Self::Ls(list)
    }
}

/// `apply`
#[derive(Debug, Args)]
pub struct Apply {
    /// A TOML file with `[[project]]`, `[[environment]]`, `[[target]]` and `[[variable]]`; - for stdin.
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
}

/// `events`
#[derive(Debug, Args)]
pub struct Events {
    /// First everything after this cursor; 0 for all that is kept.
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<i64>,
    /// End after so many.
    #[arg(short = 'n', long, value_name = "N")]
    pub count: Option<u64>,
}
