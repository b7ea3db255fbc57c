//! What the broker must hold for the fleet as it is: hosts with their users, and pools.

use pointsman_shared::name::{HostId, PoolName};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A host that needs a broker user and queues.
#[derive(Debug, Clone)]
pub struct Member {
    /// The host.
    pub host: HostId,
    /// Its password in RabbitMQ's own form.
    pub password_hash: String,
    /// Its pools.
    pub pools: Vec<PoolName>,
}

/// Every host that joined and was not revoked.
pub async fn members(conn: &mut PgConnection) -> StoreResult<Vec<Member>> {
    let rows = sqlx::query!(
        r#"SELECT id, broker_password_hash AS "password_hash!", pools FROM host
           WHERE broker_password_hash IS NOT NULL AND revoked_at IS NULL ORDER BY id"#,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |error| StoreError::inconsistent("host", &row.id, error);
            Ok(Member {
                host: row.id.parse().map_err(wrong)?,
                password_hash: row.password_hash,
                pools: parsed(row.pools).map_err(wrong)?,
            })
        })
        .collect()
}

/// Every host that was revoked and has not joined again.
pub async fn former_members(conn: &mut PgConnection) -> StoreResult<Vec<HostId>> {
    let hosts = sqlx::query_scalar!("SELECT id FROM host WHERE revoked_at IS NOT NULL ORDER BY id")
        .fetch_all(conn)
        .await?;
    hosts
        .into_iter()
        .map(|id| {
            id.parse()
                .map_err(|error| StoreError::inconsistent("host", &id, error))
        })
        .collect()
}

/// Every pool that a project offers to.
pub async fn project_pools(conn: &mut PgConnection) -> StoreResult<Vec<PoolName>> {
    let pools =
        sqlx::query_scalar!("SELECT DISTINCT pool FROM project WHERE archived_at IS NULL ORDER BY pool")
            .fetch_all(conn)
            .await?;
    parsed(pools).map_err(|error| StoreError::inconsistent("project", "pool", error))
}

fn parsed(pools: Vec<String>) -> Result<Vec<PoolName>, pointsman_shared::name::InvalidName> {
    pools.into_iter().map(|pool| pool.parse()).collect()
}
