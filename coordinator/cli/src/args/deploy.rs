//! The main job: build, deploy, roll back, watch.

use std::time::Duration;

use clap::Args;
use pointsman_shared::api::deployments::{Decision, ListedState};
use pointsman_shared::api::projects::OnFailure;
use pointsman_shared::digest::Digest;
use pointsman_shared::name::{EnvironmentName, HostId, MarkName, ProjectName, TargetName};

use super::parse::{self, LogSubject, Moment};
use super::root::Rows;

/// Whether to stay until the end.
#[derive(Debug, Clone, Copy, Args)]
pub struct Follow {
    /// Follow to the end; the default.
    #[arg(short, long, conflicts_with = "detach")]
    follow: bool,
    /// Return as soon as the wish is accepted.
    #[arg(short, long)]
    detach: bool,
}

impl Follow {
    /// Whether to return at once.
    pub fn detaches(self) -> bool {
        self.detach
    }

    /// The same for what may begin only hours later: followed only when that is asked for.
    pub fn of_later(self) -> Self {
        Self {
            detach: !self.follow,
            ..self
        }
    }
}

/// `build`
#[derive(Debug, Args)]
pub struct Build {
    /// The project.
    pub project: ProjectName,
    /// Tag, branch or commit (7 or more of its digits); the default branch when absent.
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    /// Show the build's log and wait for its end.
    #[arg(short, long)]
    pub follow: bool,
}

/// `versions`
#[derive(Debug, Args)]
pub struct Versions {
    /// The project.
    pub project: ProjectName,
    /// One release: its label, number (42) or commit.
    pub release: Option<String>,
    /// What files it holds.
    #[arg(long, requires = "release")]
    pub files: bool,
    /// Only those in this folder.
    #[arg(long, value_name = "FOLDER", requires = "files")]
    pub under: Option<String>,
    /// Every file below the folder, not only what stands directly in it.
    #[arg(long, requires = "files")]
    pub deep: bool,
    /// What differs from this other release.
    #[arg(long, value_name = "RELEASE", requires = "release", conflicts_with = "files")]
    pub against: Option<String>,
    /// The lines of this one file that differ.
    #[arg(long, value_name = "PATH", requires = "against")]
    pub file: Option<String>,
    /// How many.
    #[command(flatten)]
    pub rows: Rows,
}

/// `deploy`
#[derive(Debug, Args)]
pub struct Deploy {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// What: a label such as 1.9.1, a tag, branch or commit, or '#42' (quoted: the shell takes # for a comment).
    pub release: String,
    /// Build it first where there is no release of it.
    #[arg(long)]
    pub build: bool,
    /// Other waves for this once, such as 1,25%,100%.
    #[arg(long, alias = "batch", value_name = "SIZES", value_delimiter = ',')]
    pub waves: Option<Vec<String>>,
    /// Another policy for this once.
    #[arg(long, value_name = "POLICY", value_parser = parse::word::<OnFailure>(ON_FAILURE))]
    pub on_failure: Option<OnFailure>,
    /// Start not before this time, such as 2026-12-24T03:00Z or +2h.
    #[arg(long, value_name = "TIME", value_parser = parse::moment)]
    pub at: Option<Moment>,
    /// Do not start after this time any more.
    #[arg(long, value_name = "TIME", value_parser = parse::moment)]
    pub expires: Option<Moment>,
    /// Publish nothing for so long, so that a cancel is a true one; such as 5s.
    #[arg(long, value_name = "TIME", value_parser = parse::duration)]
    pub hold: Option<Duration>,
    /// The hash of a plan: refused when the deployment would do anything else.
    #[arg(long, value_name = "HASH", value_parser = parse::digest)]
    pub plan: Option<Digest>,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// `plan`
#[derive(Debug, Args)]
pub struct MakePlan {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// A built release: a label such as 1.9.1, a tag, branch or commit, or '#42'.
    pub release: String,
    /// Other waves for this once, such as 1,25%,100%.
    #[arg(long, alias = "batch", value_name = "SIZES", value_delimiter = ',')]
    pub waves: Option<Vec<String>>,
    /// Another policy for this once.
    #[arg(long, value_name = "POLICY", value_parser = parse::word::<OnFailure>(ON_FAILURE))]
    pub on_failure: Option<OnFailure>,
}

/// `promote`
#[derive(Debug, Args)]
pub struct Promote {
    /// The project.
    pub project: ProjectName,
    /// The environment whose live release is meant.
    pub from: EnvironmentName,
    /// The environment where it is to be live.
    pub to: EnvironmentName,
    /// The hash of a plan: refused when the deployment would do anything else.
    #[arg(long, value_name = "HASH", value_parser = parse::digest)]
    pub plan: Option<Digest>,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// `unmark`
#[derive(Debug, Args)]
pub struct OneMark {
    /// The project.
    pub project: ProjectName,
    /// Its label, '#42' or a commit.
    pub release: String,
    /// In one word, such as tested.
    pub mark: MarkName,
}

/// `mark`
#[derive(Debug, Args)]
pub struct MarkRelease {
    /// What is said of which release.
    #[command(flatten)]
    pub said: OneMark,
    /// What speaks for it: a report, a link.
    #[arg(
        id = "reason",
        short = 'm',
        long = "reason",
        visible_aliases = ["evidence", "message"],
        value_name = "TEXT"
    )]
    pub evidence: Option<String>,
}

/// `pause`
#[derive(Debug, Args)]
pub struct Pause {
    /// Number of the deployment.
    #[arg(value_parser = parse::number)]
    pub deployment: i64,
}

/// `retry`
#[derive(Debug, Args)]
pub struct Retry {
    /// Number of the deployment.
    #[arg(value_parser = parse::number)]
    pub deployment: i64,
    /// Which hosts; every one that failed when absent.
    #[arg(value_name = "HOST")]
    pub hosts: Vec<HostId>,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// `skip`
#[derive(Debug, Args)]
pub struct Skip {
    /// Number of the deployment.
    #[arg(value_parser = parse::number)]
    pub deployment: i64,
    /// Which hosts.
    #[arg(value_name = "HOST", required = true)]
    pub hosts: Vec<HostId>,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

pub(super) const WHEN_BUSY: &[&str] = &["queue", "supersede", "refuse"];

pub(super) const ON_FAILURE: &[&str] = &["hold", "rollback", "continue"];

/// `rollback`
#[derive(Debug, Args)]
pub struct Rollback {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// Which release; the previous good one when absent.
    pub release: Option<String>,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// `decide`
#[derive(Debug, Args)]
pub struct Decide {
    /// Number of the deployment.
    #[arg(value_parser = parse::number)]
    pub deployment: i64,
    /// Roll every switched host back, or go on with the next hosts.
    #[arg(value_parser = parse::word::<Decision>(&["rollback", "continue"]))]
    pub decision: Decision,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// `resume`
#[derive(Debug, Args)]
pub struct Resume {
    /// Number of the deployment; none = end the stop.
    #[arg(value_parser = parse::number)]
    pub deployment: Option<i64>,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// `watch`
#[derive(Debug, Args)]
pub struct Watch {
    /// Number of a deployment, or a target whose open or newest one is meant.
    #[arg(value_name = "NUMBER|PROJECT@ENVIRONMENT", value_parser = parse::log_subject)]
    pub subject: LogSubject,
}

/// `deployments`
#[derive(Debug, Args)]
pub struct Deployments {
    /// Number of one deployment, a target, or a project.
    #[arg(value_name = "NUMBER|PROJECT[@ENVIRONMENT]", value_parser = parse::log_subject)]
    pub subject: Option<LogSubject>,
    /// Only those that are open, over, or ended like this.
    #[arg(long, value_parser = parse::word::<ListedState>(&[
        "open", "over", "live", "failed", "cancelled", "rolled_back", "superseded", "abandoned",
    ]))]
    pub state: Option<ListedState>,
    /// Only those that this person or token wished.
    #[arg(long, value_name = "NAME")]
    pub who: Option<String>,
    /// Only those of the release with this label.
    #[arg(long, value_name = "LABEL")]
    pub release: Option<String>,
    /// How many.
    #[command(flatten)]
    pub rows: Rows,
}

/// `cancel`
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Cancel {
    /// Number of the deployment.
    #[arg(value_parser = parse::number)]
    pub deployment: Option<i64>,
    /// Number of a job instead.
    #[arg(long, value_name = "NUMBER", value_parser = parse::number)]
    pub job: Option<i64>,
}

/// `logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// A deployment, a target (its open or newest deployment), or a project for the build of a release.
    #[arg(value_name = "NUMBER|PROJECT[@ENVIRONMENT]", value_parser = parse::log_subject, required_unless_present = "job")]
    pub subject: Option<LogSubject>,
    /// The release whose build is meant, with a project; the newest when absent.
    pub release: Option<String>,
    /// A job instead.
    #[arg(long, value_name = "NUMBER", value_parser = parse::number, conflicts_with = "subject")]
    pub job: Option<i64>,
    /// Go on as lines come, to the end.
    #[arg(short, long)]
    pub follow: bool,
    /// Only this host.
    #[arg(long)]
    pub host: Option<HostId>,
    /// Only lines younger than this, such as 10m.
    #[arg(long, value_name = "TIME", value_parser = parse::duration)]
    pub since: Option<Duration>,
    /// Only lines that contain this text.
    #[arg(long, value_name = "TEXT")]
    pub grep: Option<String>,
    /// Only the last so many lines (before following).
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<usize>,
    /// The time of each line.
    #[arg(short, long)]
    pub times: bool,
}
