//! Accounts of people.

use chrono::{DateTime, Utc};
use pointsman_domain::Rights;
use pointsman_shared::api::accounts::Account;
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::ids::{PrincipalId, ProjectId};
use sqlx::PgConnection;

use crate::StoreResult;
use crate::tokens::{rights_from, role_from, roles_from};

/// An account as it is checked.
#[derive(Debug)]
pub struct KnownAccount {
    /// Whose it is.
    pub principal: PrincipalId,
    /// What it may do, and where.
    pub rights: Rights,
    /// Its password, as a PHC string; none = it signs in by the OpenID provider.
    pub password: Option<String>,
    /// Whether it may sign in.
    pub disabled: bool,
}

/// The account with this name.
pub async fn find(conn: &mut PgConnection, name: &str) -> StoreResult<Option<KnownAccount>> {
    let row = sqlx::query!(
        r#"SELECT principal_id, role, password_hash, disabled_at IS NOT NULL AS "disabled!",
                  (SELECT jsonb_object_agg(project.name, account_project.role)
                   FROM account_project JOIN project ON project.id = project_id
                   WHERE account_project.principal_id = account.principal_id) AS projects
           FROM account JOIN principal ON principal.id = principal_id WHERE name = $1"#,
        name,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(KnownAccount {
        principal: PrincipalId(row.principal_id),
        rights: rights_from(name, &row.role, row.projects)?,
        password: row.password_hash,
        disabled: row.disabled,
    }))
}

/// Gives a principal an account; false = it has one.
pub async fn insert(
    conn: &mut PgConnection,
    principal: PrincipalId,
    role: RoleName,
    password: Option<&str>,
    at: DateTime<Utc>,
) -> StoreResult<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO account (principal_id, role, password_hash, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
        principal.0,
        role.as_str(),
        password,
        at,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// An account that an OpenID provider knows.
#[derive(Debug)]
pub struct BoundAccount {
    /// Whose it is.
    pub principal: PrincipalId,
    /// Its name.
    pub name: String,
    /// Whether it may not sign in.
    pub disabled: bool,
}

/// The account of somebody whom a provider knows by this subject.
pub async fn of_identity(
    conn: &mut PgConnection,
    issuer: &str,
    subject: &str,
) -> StoreResult<Option<BoundAccount>> {
    let row = sqlx::query!(
        r#"SELECT principal_id, name, disabled_at IS NOT NULL AS "disabled!"
           FROM account_identity JOIN principal ON principal.id = principal_id WHERE issuer = $1 AND subject = $2"#,
        issuer,
        subject,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| BoundAccount {
        principal: PrincipalId(row.principal_id),
        name: row.name,
        disabled: row.disabled,
    }))
}

/// Binds an account to whom a provider knows, for good.
pub async fn bind(
    conn: &mut PgConnection,
    principal: PrincipalId,
    issuer: &str,
    subject: &str,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO account_identity (issuer, subject, principal_id) VALUES ($1, $2, $3)",
        issuer,
        subject,
        principal.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Every account, by name.
pub async fn all(conn: &mut PgConnection) -> StoreResult<Vec<Account>> {
    let rows = sqlx::query!(
        r#"SELECT name, role, account.created_at, disabled_at,
                  (SELECT jsonb_object_agg(project.name, account_project.role)
                   FROM account_project JOIN project ON project.id = project_id
                   WHERE account_project.principal_id = account.principal_id) AS projects,
                  (SELECT max(seen_at) FROM session WHERE session.principal_id = account.principal_id) AS seen_at
           FROM account JOIN principal ON principal.id = principal_id ORDER BY name"#,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Account {
                role: role_from(&row.name, &row.role)?,
                projects: roles_from(&row.name, row.projects)?,
                name: row.name,
                created_at: row.created_at,
                disabled_at: row.disabled_at,
                seen_at: row.seen_at,
            })
        })
        .collect()
}

/// Whether anybody else is an admin who may sign in; locks the accounts, so that two admins cannot demote each other.
pub async fn lock_other_admins(conn: &mut PgConnection, but: PrincipalId) -> StoreResult<bool> {
    let admins = sqlx::query_scalar!(
        "SELECT principal_id FROM account JOIN principal ON principal.id = principal_id
         WHERE role = 'admin' AND disabled_at IS NULL ORDER BY principal_id FOR NO KEY UPDATE OF account",
    )
    .fetch_all(conn)
    .await?;
    Ok(admins.iter().any(|admin| *admin != but.0))
}

/// Gives an account another e-mail address, or none; false = there is no such account.
pub async fn set_email(
    conn: &mut PgConnection,
    principal: PrincipalId,
    email: Option<&str>,
) -> StoreResult<bool> {
    let changed = sqlx::query!(
        "UPDATE account SET email = $2 WHERE principal_id = $1",
        principal.0,
        email,
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Gives an account another role.
pub async fn set_role(conn: &mut PgConnection, principal: PrincipalId, role: RoleName) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE account SET role = $2 WHERE principal_id = $1",
        principal.0,
        role.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives an account a role in a project, or another one there.
pub async fn set_project_role(
    conn: &mut PgConnection,
    principal: PrincipalId,
    project: ProjectId,
    role: RoleName,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO account_project (principal_id, project_id, role) VALUES ($1, $2, $3)
         ON CONFLICT (principal_id, project_id) DO UPDATE SET role = excluded.role",
        principal.0,
        project.0,
        role.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes every role in a project away from an account.
pub async fn unset_project_roles(conn: &mut PgConnection, principal: PrincipalId) -> StoreResult<()> {
    sqlx::query!("DELETE FROM account_project WHERE principal_id = $1", principal.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes an account's role in a project away.
pub async fn unset_project_role(
    conn: &mut PgConnection,
    principal: PrincipalId,
    project: ProjectId,
) -> StoreResult<()> {
    sqlx::query!(
        "DELETE FROM account_project WHERE principal_id = $1 AND project_id = $2",
        principal.0,
        project.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives an account another password.
pub async fn set_password(
    conn: &mut PgConnection,
    principal: PrincipalId,
    password: &str,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE account SET password_hash = $2 WHERE principal_id = $1",
        principal.0,
        password,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps an account from signing in, or lets it in again.
pub async fn set_disabled(
    conn: &mut PgConnection,
    principal: PrincipalId,
    at: Option<DateTime<Utc>>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE principal SET disabled_at = $2 WHERE id = $1",
        principal.0,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}
