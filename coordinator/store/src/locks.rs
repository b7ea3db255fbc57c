//! Locks that refuse new wishes: one per target, and the global stop, which is a lock without a target. Every rule of when
//! one holds stands in this file's queries.

use chrono::{DateTime, Utc};
use pointsman_shared::api::locks::Lock;
use pointsman_shared::ids::{JobId, PrincipalId, TargetId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, StoreResult};

/// A lock that refuses new wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Whether it is the global stop.
    pub global: bool,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub owner: String,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The lock or global stop that holds for a target right now; its own lock first, for the stop lets rollbacks pass and
/// must not hide a lock that does not.
pub async fn held_lock(
    conn: &mut PgConnection,
    id: TargetId,
    now: DateTime<Utc>,
) -> StoreResult<Option<Holding>> {
    let row = sqlx::query_as!(
        Holding,
        r#"SELECT lock.target_id IS NULL AS "global!", lock.reason, principal.name AS owner, lock.expires_at
           FROM lock JOIN principal ON principal.id = lock.owner
           WHERE (lock.target_id = $1 OR lock.target_id IS NULL)
             AND lock.released_at IS NULL AND (lock.expires_at IS NULL OR lock.expires_at > $2)
           ORDER BY lock.target_id IS NULL LIMIT 1"#,
        id.0,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// The global stop, when it is on.
pub async fn global_stop(conn: &mut PgConnection, now: DateTime<Utc>) -> StoreResult<Option<Holding>> {
    let row = sqlx::query_as!(
        Holding,
        r#"SELECT true AS "global!", lock.reason, principal.name AS owner, lock.expires_at
           FROM lock JOIN principal ON principal.id = lock.owner
           WHERE lock.target_id IS NULL AND lock.released_at IS NULL
             AND (lock.expires_at IS NULL OR lock.expires_at > $1)"#,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Whether the global stop is on.
pub async fn is_stopped(conn: &mut PgConnection, now: DateTime<Utc>) -> StoreResult<bool> {
    let stopped = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM lock WHERE target_id IS NULL AND released_at IS NULL
                                               AND (expires_at IS NULL OR expires_at > $1)) AS "stopped!""#,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(stopped)
}

/// Whether a job belongs to a deployment that is a rollback.
pub async fn is_of_rollback(conn: &mut PgConnection, job: JobId) -> StoreResult<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM job JOIN deployment ON deployment.id = job.deployment_id
                          WHERE job.id = $1 AND (deployment.kind = 'rollback' OR deployment.rollback IS NOT NULL))
           AS "found!""#,
        job.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}

/// A lock as whoever wants to change it sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub owner: PrincipalId,
    /// Their name.
    pub owner_name: String,
    /// Why.
    pub reason: String,
}

/// The lock that holds for a target, or the global stop, locked until the transaction ends.
pub async fn held(
    conn: &mut PgConnection,
    target: Option<TargetId>,
    now: DateTime<Utc>,
) -> StoreResult<Option<Held>> {
    let row = sqlx::query!(
        "SELECT lock.id, lock.owner, principal.name, lock.reason
         FROM lock JOIN principal ON principal.id = lock.owner
         WHERE lock.target_id IS NOT DISTINCT FROM $1 AND lock.released_at IS NULL
           AND (lock.expires_at IS NULL OR lock.expires_at > $2) FOR UPDATE OF lock",
        target.map(|target| target.0),
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Held {
        id: row.id,
        owner: PrincipalId(row.owner),
        owner_name: row.name,
        reason: row.reason,
    }))
}

/// Ends whatever lock of a target is not released yet, expired ones too.
pub async fn release(
    conn: &mut PgConnection,
    target: Option<TargetId>,
    by: PrincipalId,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE lock SET released_at = $3, released_by = $2
         WHERE target_id IS NOT DISTINCT FROM $1 AND released_at IS NULL",
        target.map(|target| target.0),
        by.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A lock to set.
#[derive(Debug, Clone, Copy)]
pub struct NewLock<'a> {
    /// Its id.
    pub id: Uuid,
    /// The target; none = the global stop.
    pub target: Option<TargetId>,
    /// Why.
    pub reason: &'a str,
    /// Who.
    pub owner: PrincipalId,
    /// When.
    pub at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Sets a lock; the schema allows one at a time.
pub async fn insert(conn: &mut PgConnection, new: &NewLock<'_>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO lock (id, target_id, reason, owner, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
        new.id,
        new.target.map(|target| target.0),
        new.reason,
        new.owner.0,
        new.at,
        new.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Every lock that holds, the global stop first.
pub async fn all(conn: &mut PgConnection, now: DateTime<Utc>) -> StoreResult<Vec<Lock>> {
    let rows = sqlx::query!(
        r#"SELECT project.name || '@' || environment.name AS "target?", lock.reason, principal.name AS owner,
                  lock.created_at, lock.expires_at
           FROM lock JOIN principal ON principal.id = lock.owner
                     LEFT JOIN target ON target.id = lock.target_id
                     LEFT JOIN project ON project.id = target.project_id
                     LEFT JOIN environment ON environment.id = target.environment_id
           WHERE lock.released_at IS NULL AND (lock.expires_at IS NULL OR lock.expires_at > $1)
           ORDER BY lock.target_id IS NOT NULL, 1"#,
        now,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let target = row.target.map(|name| name.parse()).transpose();
            Ok(Lock {
                target: target.map_err(|error| StoreError::inconsistent("lock", &row.reason, error))?,
                reason: row.reason,
                owner: row.owner,
                since: row.created_at,
                expires_at: row.expires_at,
            })
        })
        .collect()
}
