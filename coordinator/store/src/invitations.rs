//! One-time invitations: they make an account, or let the owner of one choose another password.

use chrono::{DateTime, Utc};
use pointsman_domain::Rights;
use pointsman_shared::digest::Digest;
use sqlx::PgConnection;

use crate::accounts::KnownAccount;
use crate::tokens::rights_from;
use crate::{StoreError, StoreResult};

/// An invitation as it is checked.
#[derive(Debug)]
pub struct KnownInvitation {
    /// The name it is for; none = the guest chooses.
    pub name: Option<String>,
    /// What the account may do, and where.
    pub rights: Rights,
    /// When it is void.
    pub expires_at: DateTime<Utc>,
    /// Whether it was used.
    pub used: bool,
    /// Whether it gives the account of that name another password, and makes none.
    pub renews: bool,
}

/// Adds an invitation.
pub async fn invite(
    conn: &mut PgConnection,
    secret: &Digest,
    name: Option<&str>,
    rights: &Rights,
    at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    let projects = serde_json::to_value(&rights.projects)
        .map_err(|error| StoreError::inconsistent("invitation", name.unwrap_or_default(), error))?;
    sqlx::query!(
        "INSERT INTO account_invitation (secret_hash, name, role, projects, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        secret.as_bytes().as_slice(),
        name,
        rights.role.as_str(),
        projects,
        at,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds an invitation of the owner of an account to choose another password; earlier ones of the kind are void.
pub async fn invite_again(
    conn: &mut PgConnection,
    secret: &Digest,
    name: &str,
    account: &KnownAccount,
    at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "WITH void AS (UPDATE account_invitation SET used_at = $5 WHERE principal_id = $3 AND used_at IS NULL)
         INSERT INTO account_invitation (secret_hash, name, principal_id, role, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        secret.as_bytes().as_slice(),
        name,
        account.principal.0,
        account.rights.role.as_str(),
        at,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The invitation with this digest, locked until the transaction ends.
pub async fn lock_invitation(
    conn: &mut PgConnection,
    secret: &Digest,
) -> StoreResult<Option<KnownInvitation>> {
    let row = sqlx::query!(
        r#"SELECT name, role, projects, expires_at, used_at IS NOT NULL AS "used!", principal_id IS NOT NULL AS "renews!"
           FROM account_invitation WHERE secret_hash = $1 FOR UPDATE"#,
        secret.as_bytes().as_slice(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(KnownInvitation {
        rights: rights_from("invitation", &row.role, Some(row.projects))?,
        name: row.name,
        expires_at: row.expires_at,
        used: row.used,
        renews: row.renews,
    }))
}

/// Notes that an invitation was used: it never counts again.
pub async fn use_invitation(conn: &mut PgConnection, secret: &Digest, at: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE account_invitation SET used_at = $2 WHERE secret_hash = $1",
        secret.as_bytes().as_slice(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
