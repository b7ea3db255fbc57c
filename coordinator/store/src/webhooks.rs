//! Webhooks that forges call; their secrets are sealed before they come here.

use chrono::{DateTime, Utc};
use pointsman_domain::ActorKind;
use pointsman_shared::api::pushes::Forge;
use pointsman_shared::ids::{PrincipalId, ProjectId};
use pointsman_shared::name::{ProjectName, WebhookName};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, StoreResult};

/// Whose name a webhook acts in.
pub const ACTS_AS: ActorKind = ActorKind::Token;

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    /// Its id.
    pub id: Uuid,
    /// Its project.
    pub project: ProjectName,
    /// Its name within the project.
    pub name: WebhookName,
    /// Who calls it.
    pub forge: Forge,
    /// Its secret, sealed.
    pub secret: Vec<u8>,
    /// The key that sealed it.
    pub key: String,
    /// Whose name it acts in.
    pub principal: PrincipalId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last told a push.
    pub last_push_at: Option<DateTime<Utc>>,
    /// When a call was last refused.
    pub refused_at: Option<DateTime<Utc>>,
}

struct Columns {
    id: Uuid,
    project: String,
    name: String,
    forge: String,
    secret_enc: Vec<u8>,
    key_id: String,
    principal_id: Uuid,
    created_at: DateTime<Utc>,
    last_push_at: Option<DateTime<Utc>>,
    refused_at: Option<DateTime<Utc>>,
}

impl TryFrom<Columns> for WebhookRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let id = row.id;
        let wrong = |what: &dyn ToString| StoreError::inconsistent("webhook", id, what.to_string());
        Ok(Self {
            id,
            project: row.project.parse().map_err(|e| wrong(&e))?,
            name: row.name.parse().map_err(|e| wrong(&e))?,
            forge: forge_named(&row.forge).ok_or_else(|| wrong(&"its forge is none of ours"))?,
            secret: row.secret_enc,
            key: row.key_id,
            principal: PrincipalId(row.principal_id),
            created_at: row.created_at,
            last_push_at: row.last_push_at,
            refused_at: row.refused_at,
        })
    }
}

fn forge_named(name: &str) -> Option<Forge> {
    let all = [Forge::Github, Forge::Gitlab, Forge::Gitea, Forge::Generic];
    all.into_iter().find(|forge| forge.as_str() == name)
}

macro_rules! select_webhooks {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Columns,
            "SELECT webhook.id, project.name AS project, webhook.name, forge, secret_enc, key_id, principal_id,
                    webhook.created_at, refused_at,
                    (SELECT max(received_at) FROM push WHERE push.webhook_id = webhook.id) AS last_push_at
             FROM webhook JOIN project ON project.id = webhook.project_id
             WHERE removed_at IS NULL "
                + $tail
            $(, $argument)*
        )
    };
}

/// The webhook of this name.
pub async fn find(
    conn: &mut PgConnection,
    project: &ProjectName,
    name: &WebhookName,
) -> StoreResult<Option<WebhookRow>> {
    let row = select_webhooks!(
        "AND project.name = $1 AND webhook.name = $2",
        project.as_str(),
        name.as_str()
    )
    .fetch_optional(conn)
    .await?;
    row.map(WebhookRow::try_from).transpose()
}

/// The webhook with this id, unless it was removed.
pub async fn get(conn: &mut PgConnection, id: Uuid) -> StoreResult<Option<WebhookRow>> {
    let row = select_webhooks!("AND webhook.id = $1", id)
        .fetch_optional(conn)
        .await?;
    row.map(WebhookRow::try_from).transpose()
}

/// Every webhook, by project and name.
pub async fn all(conn: &mut PgConnection) -> StoreResult<Vec<WebhookRow>> {
    let rows = select_webhooks!("ORDER BY project.name, webhook.name")
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(WebhookRow::try_from).collect()
}

/// A webhook to be.
#[derive(Debug, Clone, Copy)]
pub struct NewWebhookRow<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its project.
    pub project: ProjectId,
    /// Its name within the project.
    pub name: &'a WebhookName,
    /// Who calls it.
    pub forge: Forge,
    /// Its secret, sealed.
    pub secret: &'a [u8],
    /// The key that sealed it.
    pub key: &'a str,
    /// Whose name it acts in.
    pub principal: PrincipalId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Inserts a webhook.
pub async fn insert(conn: &mut PgConnection, new: &NewWebhookRow<'_>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO webhook (id, project_id, name, forge, secret_enc, key_id, principal_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id,
        new.project.0,
        new.name.as_str(),
        new.forge.as_str(),
        new.secret,
        new.key,
        new.principal.0,
        new.at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a webhook another secret.
pub async fn set_secret(conn: &mut PgConnection, id: Uuid, secret: &[u8], key: &str) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE webhook SET secret_enc = $2, key_id = $3, refused_at = NULL WHERE id = $1",
        id,
        secret,
        key
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a webhook; what it told stays.
pub async fn remove(conn: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!("UPDATE webhook SET removed_at = $2 WHERE id = $1", id, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The keys that sealed secrets of webhooks.
pub async fn keys(conn: &mut PgConnection) -> StoreResult<Vec<String>> {
    Ok(
        sqlx::query_scalar!("SELECT DISTINCT key_id FROM webhook WHERE removed_at IS NULL")
            .fetch_all(conn)
            .await?,
    )
}

/// Notes that a call was refused.
pub async fn note_refused(conn: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE webhook SET refused_at = $2
         WHERE id = $1 AND (refused_at IS NULL OR refused_at < $2::timestamptz - interval '1 minute')",
        id,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}
