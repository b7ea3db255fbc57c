//! Channels: where notifications go. What is secret of them comes here sealed, and goes out as it is.

use chrono::{DateTime, Utc};
use pointsman_shared::api::notifications::{Channel, Place};
use pointsman_shared::ids::{ChannelId, PrincipalId, ProjectId};
use pointsman_shared::name::ChannelName;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A sealed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Id of the key.
    pub key: String,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
}

fn sealed(bytes: Option<Vec<u8>>, key: Option<String>) -> Option<Sealed> {
    bytes.zip(key).map(|(bytes, key)| Sealed { key, bytes })
}

fn columns(sealed: Option<&Sealed>) -> (Option<&[u8]>, Option<&str>) {
    (
        sealed.map(|sealed| sealed.bytes.as_slice()),
        sealed.map(|sealed| sealed.key.as_str()),
    )
}

/// A channel as those who send need it.
#[derive(Debug, Clone)]
pub struct ChannelRow {
    /// Its id.
    pub id: ChannelId,
    /// Its name.
    pub name: ChannelName,
    /// The only project that may use it.
    pub project: Option<ProjectId>,
    /// Where it goes, as far as it may be shown.
    pub place: Place,
    /// Its address or token.
    pub address: Option<Sealed>,
    /// What signs.
    pub secret: Option<Sealed>,
    /// What signs as well, until then.
    pub previous: Option<(Sealed, DateTime<Utc>)>,
    /// Since when nothing is sent to it.
    pub disabled_at: Option<DateTime<Utc>>,
}

struct Columns {
    id: uuid::Uuid,
    name: String,
    project_id: Option<uuid::Uuid>,
    place: serde_json::Value,
    address_enc: Option<Vec<u8>>,
    address_key: Option<String>,
    secret_enc: Option<Vec<u8>>,
    secret_key: Option<String>,
    previous_enc: Option<Vec<u8>>,
    previous_key: Option<String>,
    previous_until: Option<DateTime<Utc>>,
    disabled_at: Option<DateTime<Utc>>,
}

impl TryFrom<Columns> for ChannelRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> StoreResult<Self> {
        let wrong = |what: &dyn ToString| StoreError::inconsistent("channel", row.id, what.to_string());
        Ok(Self {
            id: ChannelId(row.id),
            name: row.name.parse().map_err(|error| wrong(&error))?,
            project: row.project_id.map(ProjectId),
            place: serde_json::from_value(row.place).map_err(|error| wrong(&error))?,
            address: sealed(row.address_enc, row.address_key),
            secret: sealed(row.secret_enc, row.secret_key),
            previous: sealed(row.previous_enc, row.previous_key).zip(row.previous_until),
            disabled_at: row.disabled_at,
        })
    }
}

/// The channel of this name; its row is locked until the transaction ends.
pub async fn lock(conn: &mut PgConnection, name: &ChannelName) -> StoreResult<Option<ChannelRow>> {
    let row = sqlx::query_as!(
        Columns,
        "SELECT id, name, project_id, place, address_enc, address_key, secret_enc, secret_key, previous_enc,
                previous_key, previous_until, disabled_at
         FROM channel WHERE name = $1 FOR UPDATE",
        name.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(ChannelRow::try_from).transpose()
}

/// Locks a channel until the transaction ends; false = it is gone.
pub async fn lock_id(conn: &mut PgConnection, id: ChannelId) -> StoreResult<bool> {
    let found = sqlx::query_scalar!("SELECT id FROM channel WHERE id = $1 FOR UPDATE", id.0)
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}

/// A channel to send to.
pub async fn get(conn: &mut PgConnection, id: ChannelId) -> StoreResult<Option<ChannelRow>> {
    let row = sqlx::query_as!(
        Columns,
        "SELECT id, name, project_id, place, address_enc, address_key, secret_enc, secret_key, previous_enc,
                previous_key, previous_until, disabled_at
         FROM channel WHERE id = $1",
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(ChannelRow::try_from).transpose()
}

/// Names of all channels.
pub async fn names(conn: &mut PgConnection) -> StoreResult<Vec<String>> {
    Ok(sqlx::query_scalar!("SELECT name FROM channel ORDER BY name")
        .fetch_all(conn)
        .await?)
}

/// A channel to insert.
#[derive(Debug)]
pub struct NewChannelRow<'a> {
    /// Its id.
    pub id: ChannelId,
    /// Its name.
    pub name: &'a ChannelName,
    /// The only project that may use it.
    pub project: Option<ProjectId>,
    /// Where it goes, as far as it may be shown.
    pub place: &'a Place,
    /// Its address or token.
    pub address: Option<&'a Sealed>,
    /// What signs.
    pub secret: Option<&'a Sealed>,
    /// Who made it.
    pub by: PrincipalId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Adds a channel; false = there is one of this name.
pub async fn insert(conn: &mut PgConnection, channel: &NewChannelRow<'_>) -> StoreResult<bool> {
    let place = serde_json::to_value(channel.place)
        .map_err(|error| StoreError::inconsistent("channel", channel.id, error))?;
    let (address, address_key) = columns(channel.address);
    let (secret, secret_key) = columns(channel.secret);
    let done = sqlx::query!(
        "INSERT INTO channel (id, name, project_id, place, address_enc, address_key, secret_enc, secret_key, created_by,
                              created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (name) DO NOTHING",
        channel.id.0,
        channel.name.as_str(),
        channel.project.map(|project| project.0),
        place,
        address,
        address_key,
        secret,
        secret_key,
        channel.by.0,
        channel.at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Removes a channel with its rules and deliveries.
pub async fn remove(conn: &mut PgConnection, id: ChannelId) -> StoreResult<()> {
    sqlx::query!("DELETE FROM channel WHERE id = $1", id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Signs with a new secret, and with the one before until then.
pub async fn rotate_secret(
    conn: &mut PgConnection,
    id: ChannelId,
    secret: &Sealed,
    both_until: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE channel SET previous_enc = secret_enc, previous_key = secret_key, previous_until = $4,
                            secret_enc = $2, secret_key = $3
         WHERE id = $1",
        id.0,
        secret.bytes,
        secret.key,
        both_until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a new address or token.
pub async fn set_address(
    conn: &mut PgConnection,
    id: ChannelId,
    address: &Sealed,
    place: &Place,
) -> StoreResult<()> {
    let place =
        serde_json::to_value(place).map_err(|error| StoreError::inconsistent("channel", id, error))?;
    sqlx::query!(
        "UPDATE channel SET address_enc = $2, address_key = $3, place = $4 WHERE id = $1",
        id.0,
        address.bytes,
        address.key,
        place,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sends nothing there any more; false = it was so before.
pub async fn disable(
    conn: &mut PgConnection,
    id: ChannelId,
    why: &str,
    at: DateTime<Utc>,
) -> StoreResult<bool> {
    let done = sqlx::query!(
        "UPDATE channel SET disabled_at = $2, disabled_why = $3 WHERE id = $1 AND disabled_at IS NULL",
        id.0,
        at,
        why,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Sends there again; false = it was so before. How it failed before is forgotten.
pub async fn enable(conn: &mut PgConnection, id: ChannelId) -> StoreResult<bool> {
    let done = sqlx::query!(
        "UPDATE channel SET disabled_at = NULL, disabled_why = NULL, failing_since = NULL, last_error = NULL
         WHERE id = $1 AND disabled_at IS NOT NULL",
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes how a try went.
pub async fn note_try(
    conn: &mut PgConnection,
    id: ChannelId,
    error: Option<&str>,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE channel SET last_error = $2::text,
             failing_since = CASE WHEN $2::text IS NULL THEN NULL ELSE COALESCE(failing_since, $3) END
         WHERE id = $1 AND ($2::text IS NOT NULL OR failing_since IS NOT NULL)",
        id.0,
        error,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ids of the keys that sealed something.
pub async fn keys(conn: &mut PgConnection) -> StoreResult<Vec<String>> {
    let keys = sqlx::query_scalar!(
        r#"SELECT address_key AS "key!" FROM channel WHERE address_key IS NOT NULL
           UNION SELECT secret_key FROM channel WHERE secret_key IS NOT NULL
           UNION SELECT previous_key FROM channel WHERE previous_until > now()"#
    )
    .fetch_all(conn)
    .await?;
    Ok(keys)
}

/// Channels by name, after a name; or the one of this name.
pub async fn list(
    conn: &mut PgConnection,
    only: Option<&ChannelName>,
    after: Option<&str>,
    limit: i64,
) -> StoreResult<Vec<Channel>> {
    let rows = sqlx::query!(
        r#"SELECT channel.name, project.name AS "project?", place, principal.name AS created_by, channel.created_at,
                  CASE WHEN previous_until > now() THEN previous_until END AS both_secrets_until,
                  channel.disabled_at, disabled_why, failing_since, last_error,
                  (SELECT count(*) FROM delivery WHERE channel_id = channel.id AND state = 'waiting') AS "waiting!",
                  (SELECT count(*) FROM notification_rule WHERE channel_id = channel.id) AS "rules!"
           FROM channel JOIN principal ON principal.id = created_by LEFT JOIN project ON project.id = project_id
           WHERE ($1::text IS NULL OR channel.name = $1) AND ($2::text IS NULL OR channel.name > $2)
           ORDER BY channel.name LIMIT $3"#,
        only.map(ChannelName::as_str),
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong =
                |what: &dyn ToString| StoreError::inconsistent("channel", &row.name, what.to_string());
            let project = row.project.map(|project| project.parse()).transpose();
            Ok(Channel {
                name: row.name.parse().map_err(|error| wrong(&error))?,
                project: project.map_err(|error| wrong(&error))?,
                to: serde_json::from_value(row.place).map_err(|error| wrong(&error))?,
                created_by: row.created_by,
                created_at: row.created_at,
                both_secrets_until: row.both_secrets_until,
                disabled_at: row.disabled_at,
                disabled_why: row.disabled_why,
                failing_since: row.failing_since,
                last_error: row.last_error,
                waiting: row.waiting,
                rules: row.rules,
            })
        })
        .collect()
}
