//! Deploy on push: webhooks that forges call, what they told, what came of it, and what holds it back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::{ProjectName, TargetName, WebhookName};
use crate::repository::CommitId;

/// Who calls a webhook, and so how it signs and what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Forge {
    /// GitHub: `X-Hub-Signature-256` over the body.
    Github,
    /// GitLab: the secret itself in `X-Gitlab-Token`.
    Gitlab,
    /// Gitea and Forgejo: `X-Gitea-Signature` over the body.
    Gitea,
    /// Anything else that signs by the Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    Generic,
}

impl Forge {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Gitea => "gitea",
            Self::Generic => "generic",
        }
    }
}

/// `POST /api/v1/webhooks`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// The project whose pushes it tells.
    pub project: ProjectName,
    /// Who calls it.
    pub forge: Forge,
    /// Its name within the project; the forge's when absent.
    #[serde(default)]
    pub name: Option<WebhookName>,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Webhook {
    /// Its project.
    pub project: ProjectName,
    /// Its name within the project.
    pub name: WebhookName,
    /// Who calls it.
    pub forge: Forge,
    /// Where it is called.
    pub url: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last told a push.
    pub last_push_at: Option<DateTime<Utc>>,
    /// When a call was last refused because its signature did not fit, to the minute.
    pub refused_at: Option<DateTime<Utc>>,
}

/// The one answer that shows a webhook's secret: of `POST /api/v1/webhooks` and of its renewal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// What the forge signs with.
    pub secret: String,
}

/// What a forge is told of its call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Taken {
    /// Number of the push; none = the call tells no push, such as a ping.
    pub push: Option<i64>,
    /// What becomes of it, for the forge's own log.
    pub message: String,
}

/// Body of a call from anything that is none of the forges known by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GenericPush {
    /// `refs/heads/main`, or `refs/tags/1.9.1`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Who pushed.
    #[serde(default)]
    pub by: Option<String>,
}

/// A push as it was told, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Push {
    /// Its number.
    pub number: i64,
    /// The project.
    pub project: ProjectName,
    /// The webhook that told it.
    pub webhook: WebhookName,
    /// The forge's id of the call.
    pub delivery: String,
    /// `refs/heads/main`, or `refs/tags/1.9.1`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Who pushed, as the forge says.
    pub by: Option<String>,
    /// When it was told.
    pub received_at: DateTime<Utc>,
    /// When it was answered; none = not yet.
    pub answered_at: Option<DateTime<Utc>>,
    /// What the ref meant then.
    pub commit: Option<CommitId>,
    /// What came of it for each target that follows the ref; or why none was looked at.
    pub answers: Vec<PushAnswer>,
}

/// What came of a push for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushAnswer {
    /// The target; none = it holds for the whole push.
    pub target: Option<TargetName>,
    /// What came of it.
    pub outcome: PushOutcome,
    /// The deployment that was asked for, or that is on its way already.
    pub deployment: Option<i64>,
    /// In words.
    pub message: String,
}

/// What came of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PushOutcome {
    /// A deployment was asked for.
    Requested,
    /// The commit is live or on its way already.
    Unchanged,
    /// It was refused as it would have been refused to a person.
    Refused,
    /// A pause holds it back.
    Paused,
    /// Nothing follows this ref, or the ref is gone.
    Ignored,
    /// Something it needs is away; it is tried again by itself.
    Waits,
}

/// What holds a target's pushes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushPause {
    /// Why.
    pub reason: String,
    /// Who made it; a rollback makes one by itself.
    pub by: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Only pushes that carry commits of this range are held back; none = all of them.
    pub range: Option<CommitRange>,
}

/// The commits that lead to `bad` and not to `good`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommitRange {
    /// What was gone back to.
    pub good: CommitId,
    /// What was left.
    pub bad: CommitId,
}

/// `PUT /api/v1/targets/{target}/push-pause`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPushPause {
    /// Why.
    pub reason: String,
}
