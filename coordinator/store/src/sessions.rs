//! Browsers that are signed in: found by the digest of the secret in their cookie, never by the secret itself.

use chrono::{DateTime, Utc};
use pointsman_domain::{ActorKind, Rights};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PrincipalId;
use sqlx::PgConnection;

use crate::principals::kind_from;
use crate::tokens::rights_from;
use crate::{StoreError, StoreResult};

/// A session to insert.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Digest of its secret.
    pub secret: &'a Digest,
    /// Who is signed in.
    pub principal: PrincipalId,
    /// The token it acts as; none = signed in by a password.
    pub token: Option<&'a str>,
    /// Where from.
    pub address: Option<&'a str>,
    /// What the browser calls itself.
    pub browser: Option<&'a str>,
    /// Now.
    pub at: DateTime<Utc>,
    /// When it ends whatever happens.
    pub expires_at: DateTime<Utc>,
}

/// A session with its principal, as it is checked.
#[derive(Debug)]
pub struct KnownSession {
    /// Who.
    pub principal: PrincipalId,
    /// What kind.
    pub kind: ActorKind,
    /// Its name.
    pub name: String,
    /// What it may do, and where: as the account, or as the token.
    pub rights: Rights,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub seen_at: DateTime<Utc>,
    /// When it ends whatever happens.
    pub expires_at: DateTime<Utc>,
    /// Whether it was ended, its principal disabled or its token revoked.
    pub void: bool,
    /// When its token is void.
    pub token_expires_at: Option<DateTime<Utc>>,
}

/// Adds a session.
pub async fn insert(conn: &mut PgConnection, session: &NewSession<'_>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO session (secret_hash, principal_id, token_id, address, browser, created_at, seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
        session.secret.as_bytes().as_slice(),
        session.principal.0,
        session.token,
        session.address,
        session.browser,
        session.at,
        session.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The session with this digest.
pub async fn find(conn: &mut PgConnection, secret: &Digest) -> StoreResult<Option<KnownSession>> {
    let row = sqlx::query!(
        r#"SELECT session.principal_id, principal.kind, principal.name, session.created_at, session.seen_at,
                  session.expires_at,
                  COALESCE(token.role, account.role) AS role,
                  CASE WHEN token.id IS NULL THEN
                      (SELECT jsonb_object_agg(project.name, account_project.role)
                       FROM account_project JOIN project ON project.id = project_id
                       WHERE account_project.principal_id = session.principal_id)
                  ELSE
                      (SELECT jsonb_object_agg(project.name, token_project.role)
                       FROM token_project JOIN project ON project.id = project_id WHERE token_id = token.id)
                  END AS projects,
                  session.ended_at IS NOT NULL OR principal.disabled_at IS NOT NULL
                      OR token.revoked_at IS NOT NULL AS "void!",
                  token.expires_at AS "token_expires_at?"
           FROM session JOIN principal ON principal.id = session.principal_id
                LEFT JOIN token ON token.id = session.token_id
                LEFT JOIN account ON account.principal_id = session.principal_id
           WHERE session.secret_hash = $1"#,
        secret.as_bytes().as_slice(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let role = row
        .role
        .ok_or_else(|| StoreError::inconsistent("session", &row.name, "it has neither account nor token"))?;
    Ok(Some(KnownSession {
        principal: PrincipalId(row.principal_id),
        kind: kind_from(&row.kind)?,
        rights: rights_from(&row.name, &role, row.projects)?,
        name: row.name,
        began_at: row.created_at,
        seen_at: row.seen_at,
        expires_at: row.expires_at,
        void: row.void,
        token_expires_at: row.token_expires_at,
    }))
}

/// A session as its own person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Digest of its secret.
    pub secret: Digest,
    /// Where from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub browser: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub seen_at: DateTime<Utc>,
}

/// The sessions of a principal that still let somebody in: not ended, not over, and used after `idle`.
pub async fn open(
    conn: &mut PgConnection,
    principal: PrincipalId,
    now: DateTime<Utc>,
    idle: DateTime<Utc>,
) -> StoreResult<Vec<OpenSession>> {
    let rows = sqlx::query!(
        "SELECT secret_hash, address, browser, created_at, seen_at FROM session
         WHERE principal_id = $1 AND ended_at IS NULL AND expires_at > $2 AND seen_at > $3
         ORDER BY seen_at DESC",
        principal.0,
        now,
        idle,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let secret = <[u8; 32]>::try_from(row.secret_hash.as_slice())
                .map_err(|error| StoreError::inconsistent("session", principal, error))?;
            Ok(OpenSession {
                secret: Digest::from_bytes(secret),
                address: row.address,
                browser: row.browser,
                created_at: row.created_at,
                seen_at: row.seen_at,
            })
        })
        .collect()
}

/// Notes that a session was used.
pub async fn touch(conn: &mut PgConnection, secret: &Digest, at: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE session SET seen_at = $2 WHERE secret_hash = $1 AND seen_at < $2",
        secret.as_bytes().as_slice(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a session.
pub async fn end(conn: &mut PgConnection, secret: &Digest, at: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE session SET ended_at = $2 WHERE secret_hash = $1 AND ended_at IS NULL",
        secret.as_bytes().as_slice(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends every session of a principal but, where it is given, this one; returns how many.
pub async fn end_all(
    conn: &mut PgConnection,
    principal: PrincipalId,
    but: Option<&Digest>,
    at: DateTime<Utc>,
) -> StoreResult<u64> {
    let ended = sqlx::query!(
        "UPDATE session SET ended_at = $3
         WHERE principal_id = $1 AND ended_at IS NULL AND secret_hash IS DISTINCT FROM $2",
        principal.0,
        but.map(|but| but.as_bytes().as_slice()),
        at,
    )
    .execute(conn)
    .await?;
    Ok(ended.rows_affected())
}

/// Forgets sessions that were over before; returns how many.
pub async fn forget_over(conn: &mut PgConnection, before: DateTime<Utc>) -> StoreResult<u64> {
    let gone = sqlx::query!("DELETE FROM session WHERE expires_at < $1", before)
        .execute(conn)
        .await?;
    Ok(gone.rows_affected())
}
