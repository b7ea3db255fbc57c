//! Notifications: the channels they go to, the rules that choose them, and what became of each.

mod delivery;

pub use delivery::{Delivery, DeliveryLog, DeliveryState, DeliveryTry};

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::{ChannelName, EnvironmentName, ProjectName};

/// Where a new channel goes; what is secret in it is sealed and never told again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NewPlace {
    /// Signed HTTP requests, as Standard Webhooks has them.
    Webhook {
        /// Where to; it may hold a secret, and is told nobody.
        url: String,
        /// `whsec_` and 24 to 64 bytes in base64; one is drawn when it is absent.
        #[serde(default)]
        secret: Option<String>,
    },
    /// An incoming webhook of Slack or Mattermost.
    Slack {
        /// Its address, which is a secret.
        url: String,
    },
    /// A bot of Slack: one message for each deployment, edited in place.
    SlackBot {
        /// The channel, such as `#deploys`, or its id.
        channel: String,
        /// The bot's token.
        token: String,
    },
    /// E-mail: one thread for each deployment.
    Email {
        /// The receivers.
        to: Vec<String>,
    },
}

/// Says what kind it is, and nothing that is secret.
impl fmt::Debug for NewPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook { .. } => "Webhook",
            Self::Slack { .. } => "Slack",
            Self::SlackBot { .. } => "SlackBot",
            Self::Email { .. } => "Email",
        })
    }
}

/// Where a channel goes, as everybody may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Signed HTTP requests.
    Webhook {
        /// Its server; the rest may be a secret.
        server: String,
    },
    /// An incoming webhook of Slack or Mattermost.
    Slack {
        /// Its server; the rest is a secret.
        server: String,
    },
    /// A bot of Slack.
    SlackBot {
        /// The channel.
        channel: String,
    },
    /// E-mail.
    Email {
        /// The receivers.
        to: Vec<String>,
    },
}

impl Place {
    /// The name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::SlackBot { .. } => "slack_bot",
            Self::Email { .. } => "email",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook { server } | Self::Slack { server } => f.write_str(server),
            Self::SlackBot { channel } => f.write_str(channel),
            Self::Email { to } => f.write_str(&to.join(", ")),
        }
    }
}

/// `POST /api/v1/channels`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewChannel {
    /// Its name.
    pub name: ChannelName,
    /// The only project that may use it; none = every project.
    #[serde(default)]
    pub project: Option<ProjectName>,
    /// Where it goes.
    pub to: NewPlace,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Channel {
    /// Its name.
    pub name: ChannelName,
    /// The only project that may use it.
    pub project: Option<ProjectName>,
    /// Where it goes.
    pub to: Place,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when the secret before the present one signs as well.
    pub both_secrets_until: Option<DateTime<Utc>>,
    /// Since when nothing is sent to it.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Why.
    pub disabled_why: Option<String>,
    /// Since when every try has failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// How the last try failed.
    pub last_error: Option<String>,
    /// How many deliveries wait.
    pub waiting: i64,
    /// How many rules use it.
    pub rules: i64,
}

/// A channel with its secret, told this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuedChannel {
    /// The channel.
    pub channel: Channel,
    /// The secret that signs, where the channel has one.
    pub secret: Option<String>,
}

/// Without the secret.
impl fmt::Debug for IssuedChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedChannel")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

/// `POST /api/v1/channels/{channel}/secret`: a new secret signs from now on, the one before it for a while, too.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    /// A webhook's signing secret (one is drawn when absent), or a bot's token, or an incoming webhook's address.
    #[serde(default)]
    pub secret: Option<String>,
    /// How long the one before signs as well, in seconds; a day when absent.
    #[serde(default)]
    pub both_s: Option<u32>,
}

/// Without the secret.
impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSecret")
            .field("both_s", &self.both_s)
            .finish_non_exhaustive()
    }
}

/// `PUT /api/v1/channels/{channel}/enabled`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnableChannel {
    /// Whether anything is sent to it.
    pub enabled: bool,
}

/// `POST /api/v1/rules`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// Where to.
    pub channel: ChannelName,
    /// Only of this project; the channel's own, or every one, when absent.
    #[serde(default)]
    pub project: Option<ProjectName>,
    /// Only in these environments; everything when empty.
    #[serde(default)]
    pub environments: Vec<EnvironmentName>,
    /// Topics such as `deploy.failed`, `deploy.*` or `*`; only failures and recoveries when empty.
    #[serde(default)]
    pub events: Vec<String>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rule {
    /// Its number.
    pub number: i64,
    /// Where to.
    pub channel: ChannelName,
    /// Only of this project.
    pub project: Option<ProjectName>,
    /// Only in these environments.
    pub environments: Vec<EnvironmentName>,
    /// Only these topics; only failures and recoveries when empty.
    pub events: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// What a notification means for whoever looks after the thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Something is wrong.
    Failure,
    /// What was wrong is right again.
    Recovery,
    /// Neither.
    News,
}

/// What is told: the `data` of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// What happened, such as `deploy.failed`.
    pub topic: String,
    /// What it means.
    pub turn: Turn,
    /// When.
    pub at: DateTime<Utc>,
    /// The event's cursor; none for a test.
    pub cursor: Option<i64>,
    /// The installation.
    pub installation: String,
    /// The project.
    pub project: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The target, `project@environment`.
    pub target: Option<String>,
    /// The deployment.
    pub deployment: Option<DeploymentNotice>,
    /// Number of the job.
    pub job: Option<i64>,
    /// The host.
    pub host: Option<String>,
    /// For people.
    pub message: String,
    /// Where to look.
    pub url: String,
}

/// What a notification says of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeploymentNotice {
    /// Its number.
    pub number: i64,
    /// `deploy` or `rollback`.
    pub kind: String,
    /// Label of its release.
    pub release: String,
    /// The release's commit.
    pub commit: String,
    /// Label of the release that was live before.
    pub from: Option<String>,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// When it started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The body of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookBody {
    /// The topic.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// What.
    pub data: Notice,
}
