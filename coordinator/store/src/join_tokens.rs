//! One-time tokens with which hosts join, stored as the digest of their secret.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PrincipalId;
use pointsman_shared::name::{HostId, PoolName};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::KeyId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, StoreResult};

/// What a token lets a host be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The host.
    pub host: HostId,
    /// Labels it gets.
    pub labels: BTreeMap<String, String>,
    /// Pools it takes jobs from.
    pub pools: Vec<PoolName>,
    /// Kinds it may be offered.
    pub kinds: Vec<JobKind>,
}

/// A stored join token.
#[derive(Debug)]
pub struct JoinTokenRow {
    /// Its id.
    pub id: Uuid,
    /// What it lets the host be.
    pub invitation: Invitation,
    /// Who made it.
    pub created_by: PrincipalId,
    /// When it is void.
    pub expires_at: DateTime<Utc>,
    /// The key that used it.
    pub used_key: Option<KeyId>,
}

/// Adds a token.
pub async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    secret: &Digest,
    invitation: &Invitation,
    by: PrincipalId,
    at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    let labels = serde_json::to_value(&invitation.labels)
        .map_err(|error| StoreError::inconsistent("join_token", id, error))?;
    let pools: Vec<String> = invitation.pools.iter().map(ToString::to_string).collect();
    let kinds: Vec<String> = invitation.kinds.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "INSERT INTO join_token (id, secret_hash, host_id, labels, pools, kinds, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id,
        secret.as_bytes().as_slice(),
        invitation.host.as_str(),
        labels,
        &pools,
        &kinds,
        by.0,
        at,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks the token with this secret until the transaction ends.
pub async fn lock(conn: &mut PgConnection, secret: &Digest) -> StoreResult<Option<JoinTokenRow>> {
    let row = sqlx::query!(
        "SELECT id, host_id, labels, pools, kinds, created_by, expires_at, used_key_id
         FROM join_token WHERE secret_hash = $1 FOR UPDATE",
        secret.as_bytes().as_slice(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let wrong = |what: &dyn ToString| StoreError::inconsistent("join_token", row.id, what.to_string());
    let invitation = Invitation {
        host: row.host_id.parse().map_err(|e| wrong(&e))?,
        labels: serde_json::from_value(row.labels).map_err(|e| wrong(&e))?,
        pools: row
            .pools
            .iter()
            .map(|pool| pool.parse().map_err(|e| wrong(&e)))
            .collect::<StoreResult<_>>()?,
        kinds: row
            .kinds
            .iter()
            .map(|kind| kind.parse().map_err(|e| wrong(&e)))
            .collect::<StoreResult<_>>()?,
    };
    Ok(Some(JoinTokenRow {
        id: row.id,
        invitation,
        created_by: PrincipalId(row.created_by),
        expires_at: row.expires_at,
        used_key: row.used_key_id.map(KeyId),
    }))
}

/// Marks a token as used by a key.
pub async fn mark_used(conn: &mut PgConnection, id: Uuid, key: &KeyId, at: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE join_token SET used_at = COALESCE(used_at, $3), used_key_id = $2 WHERE id = $1",
        id,
        key.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes the unused tokens for a host void; says how many there were.
pub async fn withdraw(conn: &mut PgConnection, host: &HostId, at: DateTime<Utc>) -> StoreResult<u64> {
    let withdrawn = sqlx::query!(
        "UPDATE join_token SET expires_at = $2 WHERE host_id = $1 AND used_key_id IS NULL AND expires_at > $2",
        host.as_str(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(withdrawn.rows_affected())
}

/// Whether a host was ever invited.
pub async fn is_invited(conn: &mut PgConnection, host: &HostId) -> StoreResult<bool> {
    let invited = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM join_token WHERE host_id = $1) AS "invited!""#,
        host.as_str(),
    )
    .fetch_one(conn)
    .await?;
    Ok(invited)
}

/// Every host that has joined or was invited.
pub async fn host_names(conn: &mut PgConnection) -> StoreResult<Vec<String>> {
    let names = sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM host UNION SELECT host_id FROM join_token ORDER BY 1"#
    )
    .fetch_all(conn)
    .await?;
    Ok(names)
}

/// An invitation that nobody used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    /// The host it lets join.
    pub host: HostId,
    /// Who invited it.
    pub by: String,
    /// When it is void.
    pub expires_at: DateTime<Utc>,
}

/// Invitations that still count, by host.
pub async fn open(conn: &mut PgConnection, now: DateTime<Utc>) -> StoreResult<Vec<OpenInvitation>> {
    let rows = sqlx::query!(
        r#"SELECT host_id, principal.name AS "by", expires_at
           FROM join_token JOIN principal ON principal.id = created_by
           WHERE used_key_id IS NULL AND expires_at > $1 ORDER BY host_id, expires_at"#,
        now,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let host = row.host_id.parse();
            Ok(OpenInvitation {
                host: host.map_err(|error| StoreError::inconsistent("join_token", &row.by, error))?,
                by: row.by,
                expires_at: row.expires_at,
            })
        })
        .collect()
}
