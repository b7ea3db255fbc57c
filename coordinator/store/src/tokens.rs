//! API tokens: found by their public part, compared by the digest of their secret, never stored in the clear.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_domain::{ActorKind, Rights};
use pointsman_shared::api::tokens::{RoleName, TokenInfo};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{PrincipalId, ProjectId};
use pointsman_shared::name::ProjectName;
use sqlx::PgConnection;

use crate::principals::kind_from;
use crate::{StoreError, StoreResult};

/// A token to insert.
#[derive(Debug)]
pub struct NewTokenRow<'a> {
    /// Its public part.
    pub id: &'a str,
    /// Whose it is.
    pub principal: PrincipalId,
    /// Digest of its secret.
    pub secret: &'a Digest,
    /// What it may do everywhere.
    pub role: RoleName,
    /// Now.
    pub at: DateTime<Utc>,
    /// When it is void.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token with its principal, as it is checked.
#[derive(Debug)]
pub struct KnownToken {
    /// Whose it is.
    pub principal: PrincipalId,
    /// Kind of the principal.
    pub kind: ActorKind,
    /// Name of the principal.
    pub name: String,
    /// What it may do, and where.
    pub rights: Rights,
    /// Digest of its secret.
    pub secret: Digest,
    /// When it is void.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When its principal was disabled.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Adds a token.
pub async fn insert(conn: &mut PgConnection, token: &NewTokenRow<'_>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO token (id, principal_id, secret_hash, role, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        token.id,
        token.principal.0,
        token.secret.as_bytes().as_slice(),
        token.role.as_str(),
        token.at,
        token.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a token a role in a project.
pub async fn insert_project(
    conn: &mut PgConnection,
    id: &str,
    project: ProjectId,
    role: RoleName,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO token_project (token_id, project_id, role) VALUES ($1, $2, $3)",
        id,
        project.0,
        role.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The token with this public part.
pub async fn find(conn: &mut PgConnection, id: &str) -> StoreResult<Option<KnownToken>> {
    let row = sqlx::query!(
        "SELECT principal_id, kind, name, role, secret_hash, expires_at, revoked_at, disabled_at, last_used_at,
                (SELECT jsonb_object_agg(project.name, token_project.role)
                 FROM token_project JOIN project ON project.id = project_id WHERE token_id = token.id) AS projects
         FROM token JOIN principal ON principal.id = principal_id
         WHERE token.id = $1",
        id,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let secret = <[u8; 32]>::try_from(row.secret_hash)
        .map_err(|_| StoreError::inconsistent("token", id, "its digest has not 32 bytes"))?;
    Ok(Some(KnownToken {
        principal: PrincipalId(row.principal_id),
        kind: kind_from(&row.kind)?,
        name: row.name,
        rights: rights_from(id, &row.role, row.projects)?,
        secret: Digest::from_bytes(secret),
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        disabled_at: row.disabled_at,
        last_used_at: row.last_used_at,
    }))
}

/// Notes that a token was used; at most once a minute, so that reading stays reading.
pub async fn touch(conn: &mut PgConnection, id: &str, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE token SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $3)",
        id,
        now,
        now - chrono::TimeDelta::minutes(1),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a principal has a token that is valid now.
pub async fn any_valid(
    conn: &mut PgConnection,
    principal: PrincipalId,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    let any = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM token WHERE principal_id = $1 AND revoked_at IS NULL
                          AND (expires_at IS NULL OR expires_at > $2)) AS "any!""#,
        principal.0,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(any)
}

/// Whether there is any token at all.
pub async fn any(conn: &mut PgConnection) -> StoreResult<bool> {
    Ok(
        sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM token) AS "any!""#)
            .fetch_one(conn)
            .await?,
    )
}

/// How many other admin tokens are valid now; locks them, so that two admins cannot revoke each other's last one.
pub async fn lock_other_admins(conn: &mut PgConnection, id: &str, now: DateTime<Utc>) -> StoreResult<usize> {
    let others = sqlx::query_scalar!(
        "SELECT id FROM token WHERE role = 'admin' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)
         ORDER BY id FOR UPDATE",
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(others.iter().filter(|other| *other != id).count())
}

/// Makes a token void; none when there is no such token.
pub async fn revoke(conn: &mut PgConnection, id: &str, now: DateTime<Utc>) -> StoreResult<Option<TokenInfo>> {
    sqlx::query!(
        "UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
        id,
        now,
    )
    .execute(&mut *conn)
    .await?;
    info(conn, id).await
}

/// One token as lists show it.
pub async fn info(conn: &mut PgConnection, id: &str) -> StoreResult<Option<TokenInfo>> {
    Ok(list_where(conn, Some(id), None, 1).await?.pop())
}

/// Tokens, oldest first, after `after` (the public part of the last one shown).
pub async fn list(conn: &mut PgConnection, after: Option<&str>, limit: i64) -> StoreResult<Vec<TokenInfo>> {
    list_where(conn, None, after, limit).await
}

async fn list_where(
    conn: &mut PgConnection,
    only: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> StoreResult<Vec<TokenInfo>> {
    let rows = sqlx::query!(
        "SELECT token.id, name, role, token.created_at, expires_at, last_used_at, revoked_at,
                (SELECT jsonb_object_agg(project.name, token_project.role)
                 FROM token_project JOIN project ON project.id = project_id WHERE token_id = token.id) AS projects
         FROM token JOIN principal ON principal.id = principal_id
         WHERE ($1::text IS NULL OR token.id = $1)
           AND ($2::text IS NULL
                OR (token.created_at, token.id) > (SELECT last.created_at, last.id FROM token last WHERE last.id = $2))
         ORDER BY token.created_at, token.id LIMIT $3",
        only,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(TokenInfo {
                role: role_from(&row.id, &row.role)?,
                projects: roles_from(&row.id, row.projects)?,
                id: row.id,
                name: row.name,
                created_at: row.created_at,
                expires_at: row.expires_at,
                last_used_at: row.last_used_at,
                revoked_at: row.revoked_at,
            })
        })
        .collect()
}

pub(crate) fn role_from(id: &str, name: &str) -> StoreResult<RoleName> {
    [
        RoleName::None,
        RoleName::Viewer,
        RoleName::Deployer,
        RoleName::Maintainer,
        RoleName::Admin,
    ]
    .into_iter()
    .find(|role| role.as_str() == name)
    .ok_or_else(|| StoreError::inconsistent("token", id, format!("no such role: {name}")))
}

/// Roles by project, as the queries gather them.
pub(crate) fn roles_from(
    id: &str,
    gathered: Option<serde_json::Value>,
) -> StoreResult<BTreeMap<ProjectName, RoleName>> {
    let read = gathered.map_or_else(|| Ok(BTreeMap::new()), serde_json::from_value);
    read.map_err(|error| StoreError::inconsistent("roles by project", id, error))
}

pub(crate) fn rights_from(id: &str, role: &str, gathered: Option<serde_json::Value>) -> StoreResult<Rights> {
    Ok(Rights {
        role: role_from(id, role)?,
        projects: roles_from(id, gathered)?,
    })
}
