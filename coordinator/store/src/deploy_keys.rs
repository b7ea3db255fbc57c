//! ssh keys of projects, sealed by the coordinator before they come here.

use chrono::{DateTime, Utc};
use pointsman_shared::api::deploy_keys::DeployKey;
use pointsman_shared::ids::{PrincipalId, ProjectId};
use sqlx::PgConnection;

use crate::StoreResult;

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployKeyRow {
    /// Id of the key that sealed the private half.
    pub sealed_with: String,
    /// The sealed private half.
    pub sealed: Vec<u8>,
    /// The public half, one line.
    pub public_key: String,
    /// `SHA256:...`
    pub fingerprint: String,
    /// Lines of `known_hosts`.
    pub known_hosts: String,
    /// Who changed it last.
    pub updated_by: String,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// A key that is to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewDeployKey<'a> {
    /// Id of the key that sealed the private half.
    pub sealed_with: &'a str,
    /// The sealed private half.
    pub sealed: &'a [u8],
    /// The public half, one line.
    pub public_key: &'a str,
    /// `SHA256:...`
    pub fingerprint: &'a str,
    /// Lines of `known_hosts`.
    pub known_hosts: &'a str,
}

/// What the sealed private half of a project's key is bound to.
pub fn place(project: ProjectId) -> String {
    format!("deploy_key/{project}")
}

/// The key of a project.
pub async fn get(conn: &mut PgConnection, project: ProjectId) -> StoreResult<Option<DeployKeyRow>> {
    let row = sqlx::query_as!(
        DeployKeyRow,
        "SELECT key_id AS sealed_with, value_enc AS sealed, public_key, fingerprint, known_hosts,
                principal.name AS updated_by, updated_at
         FROM deploy_key JOIN principal ON principal.id = updated_by WHERE project_id = $1
         FOR UPDATE OF deploy_key",
        project.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// What may be shown of the key of a project.
pub async fn shown(conn: &mut PgConnection, project: ProjectId) -> StoreResult<Option<DeployKey>> {
    let row = sqlx::query!(
        "SELECT public_key, fingerprint, known_hosts, principal.name AS updated_by, updated_at
         FROM deploy_key JOIN principal ON principal.id = updated_by WHERE project_id = $1",
        project.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| DeployKey {
        public_key: row.public_key,
        fingerprint: row.fingerprint,
        known_hosts: row.known_hosts.lines().map(str::to_owned).collect(),
        updated_by: row.updated_by,
        updated_at: row.updated_at,
    }))
}

/// Stores a key in place of one that is there.
pub async fn put(
    conn: &mut PgConnection,
    project: ProjectId,
    key: &NewDeployKey<'_>,
    by: PrincipalId,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO deploy_key (project_id, value_enc, key_id, public_key, fingerprint, known_hosts, updated_by,
                                 updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (project_id) DO UPDATE
             SET value_enc = excluded.value_enc, key_id = excluded.key_id, public_key = excluded.public_key,
                 fingerprint = excluded.fingerprint, known_hosts = excluded.known_hosts,
                 updated_by = excluded.updated_by, updated_at = excluded.updated_at",
        project.0,
        key.sealed,
        key.sealed_with,
        key.public_key,
        key.fingerprint,
        key.known_hosts,
        by.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a key; false = there was none.
pub async fn remove(conn: &mut PgConnection, project: ProjectId) -> StoreResult<bool> {
    let done = sqlx::query!("DELETE FROM deploy_key WHERE project_id = $1", project.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
