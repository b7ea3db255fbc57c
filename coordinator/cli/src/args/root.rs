//! The command itself: options that every command takes, and the list of commands.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use url::Url;

use super::accounts::AccountCommand;
use super::audit::Audit;
use super::causes::CauseCommand;
use super::comfort::{Complete, Completions, ManPages, Open, Why};
use super::deploy::{
    Build, Cancel, Decide, Deploy, Deployments, Logs, MakePlan, MarkRelease, OneMark, Pause, Promote, Resume,
    Retry, Rollback, Skip, Versions, Watch,
};
use super::garbage::{GarbageCommand, Pin};
use super::locks::{LockTarget, Stop, UnlockTarget};
use super::manage::{
    Apply, EnvironmentCommand, Events, HostsCommand, JobsCommand, ProjectCommand, TargetCommand, TokenCommand,
};
use super::migrations::MigrationsCommand;
use super::notifications::{ChannelCommand, DeliveryCommand, RuleCommand};
use super::overview::OVERVIEW;
use super::parse;
use super::pushes::{PushCommand, WebhookCommand};
use super::recipes::RecipeCommand;
use super::variables::VariableCommand;
use crate::error::CliError;
use crate::printer::{Format, Talk};

/// Builds versions of your projects, puts them on every server, and throws the switch.
#[derive(Debug, Parser)]
#[command(name = "pointsman", version, help_template = OVERVIEW, disable_help_subcommand = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub options: Options,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Options {
    /// The coordinator.
    #[arg(long, global = true, env = "POINTSMAN_URL", value_name = "URL", value_parser = parse::url, hide_env_values = true)]
    pub url: Option<Url>,
    /// The CA of the coordinator's certificate (PEM), instead of the system's; `login` keeps it.
    #[arg(
        long,
        global = true,
        env = "POINTSMAN_CA_FILE",
        value_name = "FILE",
        hide_env_values = true
    )]
    pub ca_file: Option<PathBuf>,
    /// Stop waiting after this long, such as 90s; the work goes on.
    #[arg(long, global = true, value_name = "TIME", value_parser = parse::duration)]
    pub timeout: Option<Duration>,
    /// Results as table, json or plain (tab-separated).
    #[arg(
        short,
        long,
        global = true,
        value_name = "FORM",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub output: Format,
    /// Say nothing but results and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say every request, too.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// No colours.
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Never ask; fail and name the flag to pass.
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Answer yes to every question.
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Why, for the audit trail, and for those who are refused.
    #[arg(
        short = 'm',
        long,
        visible_alias = "message",
        global = true,
        value_name = "TEXT"
    )]
    pub reason: Option<String>,
}

impl Options {
    /// How much is to be said.
    pub fn talk(&self) -> Talk {
        match (self.quiet, self.verbose) {
            (true, _) => Talk::Quiet,
            (false, true) => Talk::Verbose,
            (false, false) => Talk::Normal,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Keep a token for a coordinator.
    Login(Login),
    /// Forget the token of this coordinator.
    Logout,
    /// Who the coordinator takes you for.
    Whoami,
    /// What is live where.
    Status(Status),
    /// Projects: git repositories that are deployed.
    Project(Noun<ProjectCommand>),
    /// Environments: stages such as beta and production.
    Environment(Noun<EnvironmentCommand>),
    /// Targets: a project in an environment.
    Target(Noun<TargetCommand>),
    /// Make a release from a tag, branch or commit.
    Build(Build),
    /// Releases of a project.
    Versions(Versions),
    /// Make a release live on every host of a target.
    Deploy(Deploy),
    /// Say what a deployment would do; changes nothing.
    Plan(MakePlan),
    /// Make the release that is live in one environment live in another.
    Promote(Promote),
    /// Say of a release that it is, for example, tested; targets may ask for it.
    Mark(MarkRelease),
    /// Take a mark back.
    Unmark(OneMark),
    /// Go back to an older good release.
    Rollback(Rollback),
    /// Let a deployment wait for a person before its next wave.
    Pause(Pause),
    /// Try hosts that failed in a deployment again.
    Retry(Retry),
    /// Leave hosts out of a deployment.
    Skip(Skip),
    /// Say what becomes of a deployment that holds.
    Decide(Decide),
    /// Let a deployment that holds go on, as `decide NUMBER continue` does; without a number, everything after a stop.
    Resume(Resume),
    /// Follow a deployment to its end.
    Watch(Watch),
    /// Say why something waits, holds or failed, from the wish to the host, and what to do about it.
    Why(Why),
    /// Take back what you did last, after asking.
    Undo,
    /// Look on: open deployments, work, and hosts that are not well, redrawn each second; q leaves.
    Top,
    /// Print the address of a thing.
    Open(Open),
    /// Deployments, newest first.
    Deployments(Deployments),
    /// Cancel a deployment or a job.
    Cancel(Cancel),
    /// Logs of a deployment, release or job, merged by time.
    Logs(Logs),
    /// Migrations of a target's database.
    #[command(subcommand)]
    Migrations(MigrationsCommand),
    /// Garbage: what goes from hosts and the store, and why the rest stays.
    #[command(subcommand)]
    Gc(GarbageCommand),
    /// Keep a release whatever happens.
    Pin(Pin),
    /// Let a pinned release go its way again.
    Unpin(Pin),
    /// Refuse new wishes for a target.
    Lock(LockTarget),
    /// Take new wishes for a target again.
    Unlock(UnlockTarget),
    /// What is locked, by whom and why.
    Locks,
    /// Refuse every new wish and every grant but those of rollbacks.
    Stop(Stop),
    /// Machines that agents run on.
    Hosts(Noun<HostsCommand>),
    /// Units of work.
    Jobs(Noun<JobsCommand>),
    /// Tokens of the API.
    Token(Noun<TokenCommand>),
    /// Accounts of people who sign in to the dashboard.
    Account(Noun<AccountCommand>),
    /// What is wrong, and what to do about it.
    Doctor,
    /// Create and update projects, environments, targets and variables from a file, all or nothing.
    Apply(Apply),
    /// Recipes that the coordinator keeps, instead of pointsman.toml in the repository.
    #[command(subcommand)]
    Recipe(RecipeCommand),
    /// Values for build steps and hosts.
    Variable(Noun<VariableCommand>),
    /// Webhooks that forges call when somebody pushes.
    Webhook(Noun<WebhookCommand>),
    /// Pushes that were told, and what came of them.
    Push(Noun<PushCommand>),
    /// Channels: where notifications go.
    Channel(Noun<ChannelCommand>),
    /// Rules: what a channel is told of.
    Rule(Noun<RuleCommand>),
    /// Deliveries of notifications: what was sent, and how it was answered.
    Delivery(Noun<DeliveryCommand>),
    /// Known causes: what lines of failed logs mean, and what to do.
    Cause(Noun<CauseCommand>),
    /// What people and tokens did, newest first.
    Audit(Audit),
    /// What happens to machines and work, as it happens.
    Events(Events),
    /// A script that completes commands, options and names in your shell.
    Completions(Completions),
    /// The manual page of a command; all of them to a folder.
    Man(ManPages),
    /// What the scripts of `completions` ask.
    #[command(name = "__complete", hide = true)]
    Complete(Complete),
    /// Explain a command, `exit-codes`, or `json`.
    Help(Help),
}

/// `login`
#[derive(Debug, Args)]
pub struct Login {
    /// The coordinator; --url when absent.
    #[arg(value_parser = parse::url)]
    pub coordinator: Option<Url>,
    /// Read the token from stdin; it never stands in an argument, where others could see it.
    #[arg(long, required = true)]
    pub with_token: bool,
}

/// `status`
#[derive(Debug, Args)]
pub struct Status {
    /// Only this project or target, host by host.
    #[arg(value_name = "PROJECT[@ENVIRONMENT]", value_parser = parse::scope)]
    pub scope: Option<parse::Scope>,
}

/// A thing with verbs of its own; alone it is listed.
#[derive(Debug, Args)]
pub struct Noun<C: Listed> {
    #[command(subcommand)]
    command: Option<C>,
    #[command(flatten)]
    list: C::List,
}

/// Verbs of which one lists.
pub trait Listed: Subcommand {
    /// What the listing takes.
    type List: Args + Default + PartialEq;

    /// The verb that lists.
    fn listed(list: Self::List) -> Self;
}

impl<C: Listed> Noun<C> {
    /// The verb, the listing one when there is none. Options of the list have no meaning before another verb.
    pub fn verb(self) -> Result<C, CliError> {
        match self.command {
            None => Ok(C::listed(self.list)),
            Some(verb) if self.list == C::List::default() => Ok(verb),
            Some(_) => Err(CliError::usage(
                "options of the list stand before another verb",
                "put options behind the verb: pointsman jobs ls -n 5",
            )),
        }
    }
}

/// How much of a list is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub struct Rows {
    /// At most this many rows; 50 when absent.
    #[arg(short = 'n', long, value_name = "N", conflicts_with = "all")]
    limit: Option<usize>,
    /// Every row.
    #[arg(long)]
    all: bool,
}

const USUAL_ROWS: usize = 50;

impl Rows {
    /// The most rows to fetch.
    pub fn most(self) -> usize {
        if self.all {
            usize::MAX
        } else {
            self.limit.unwrap_or(USUAL_ROWS)
        }
    }
}

/// `help`
#[derive(Debug, Args)]
pub struct Help {
    /// A command such as `deploy` or `hosts invite`, `exit-codes`, or `json`.
    pub topic: Vec<String>,
}
