//! `channel`, `rule`, `delivery`: what is typed about who is told what.

use std::time::Duration;

use clap::{Args, Subcommand};
use pointsman_shared::api::notifications::DeliveryState;
use pointsman_shared::name::{ChannelName, EnvironmentName, ProjectName};
use url::Url;

use super::parse;
use super::root::{Listed, Rows};

/// `channel`
#[derive(Debug, Subcommand)]
pub enum ChannelCommand {
    /// Make a channel; a webhook's secret is shown once, alone on stdout.
    Add(AddChannel),
    /// List channels.
    #[command(alias = "list")]
    Ls(Rows),
    /// Show a channel.
    Show(OneChannel),
    /// Send a test through a channel, and wait for what its receiver says.
    Test(OneChannel),
    /// Give a channel another secret, token or address.
    Rotate(RotateChannel),
    /// Send nothing there any more; what waits is given up.
    Disable(OneChannel),
    /// Send there again.
    Enable(OneChannel),
    /// Remove a channel with its rules and the log of its deliveries.
    Remove(OneChannel),
}

impl Listed for ChannelCommand {
    type List = Rows;

    fn listed(list: Rows) -> Self {
        Self::Ls(list)
    }
}

/// A channel.
#[derive(Debug, Args)]
pub struct OneChannel {
    /// Its name.
    pub channel: ChannelName,
}

/// `channel add`
#[derive(Debug, Args)]
pub struct AddChannel {
    /// Its name.
    pub channel: ChannelName,
    /// Where it goes.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A webhook's secret is read from stdin (whsec_ and base64) instead of drawn.
    #[arg(long, requires = "webhook")]
    pub with_secret: bool,
    /// The only project that may use it.
    #[arg(long)]
    pub project: Option<ProjectName>,
}

/// Where a channel goes; exactly one.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct PlaceArgs {
    /// Signed HTTP requests to this address, as Standard Webhooks has them.
    #[arg(long, value_name = "URL")]
    pub webhook: Option<Url>,
    /// An incoming webhook of Slack or Mattermost; its address is a secret and read from stdin.
    #[arg(long)]
    pub slack: bool,
    /// A bot of Slack in this channel, one message for each deployment; its token is read from stdin.
    #[arg(long, value_name = "CHANNEL")]
    pub slack_bot: Option<String>,
    /// E-mail to these addresses, one thread for each deployment.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub email: Vec<String>,
}

/// `channel rotate`
#[derive(Debug, Args)]
pub struct RotateChannel {
    /// Its name.
    pub channel: ChannelName,
    /// The new secret is read from stdin; a webhook's is drawn when absent.
    #[arg(long)]
    pub with_secret: bool,
    /// How long a webhook's secret before signs as well.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse::duration)]
    pub both: Duration,
}

/// `rule`
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Tell a channel of something; of failures and recoveries when nothing is named.
    Add(AddRule),
    /// List rules.
    #[command(alias = "list")]
    Ls(Rows),
    /// Remove a rule.
    Remove {
        /// Its number.
        #[arg(value_parser = parse::number)]
        number: i64,
    },
}

impl Listed for RuleCommand {
    type List = Rows;

    fn listed(list: Rows) -> Self {
        Self::Ls(list)
    }
}

/// `rule add`
#[derive(Debug, Args)]
pub struct AddRule {
    /// Which channel.
    pub channel: ChannelName,
    /// Only of this project; hosts belong to none.
    #[arg(long)]
    pub project: Option<ProjectName>,
    /// Only in this environment, which may be given more than once; builds and hosts belong to none.
    #[arg(long = "environment", value_name = "ENVIRONMENT", value_delimiter = ',')]
    pub environments: Vec<EnvironmentName>,
    /// Only this, which may be given more than once: deploy.failed, 'deploy.*', or '*' for everything.
    #[arg(long = "event", value_name = "EVENT", value_delimiter = ',')]
    pub events: Vec<String>,
}

/// `delivery`
#[derive(Debug, Subcommand)]
pub enum DeliveryCommand {
    /// List deliveries, newest first.
    #[command(alias = "list")]
    Ls(ListDeliveries),
    /// Show a delivery: what was sent, and what was answered.
    Show(OneDelivery),
    /// Send a delivery that is over once more, under the same id.
    Redeliver(OneDelivery),
}

impl Listed for DeliveryCommand {
    type List = ListDeliveries;

    fn listed(list: ListDeliveries) -> Self {
        Self::Ls(list)
    }
}

/// `delivery ls`
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct ListDeliveries {
    /// Only to this channel.
    #[arg(long)]
    pub channel: Option<ChannelName>,
    /// Only in this state.
    #[arg(long, value_parser = parse::word::<DeliveryState>(&["waiting", "delivered", "failed", "superseded"]))]
    pub state: Option<DeliveryState>,
    /// How many.
    #[command(flatten)]
    pub rows: Rows,
}

/// A delivery.
#[derive(Debug, Args)]
pub struct OneDelivery {
    /// Its number.
    #[arg(value_parser = parse::number)]
    pub number: i64,
}
