//! Hosts as the machine sees them: their key, rights, current process and presence.

mod hello;
mod row;

pub use hello::{
    Greeting, clear_instance, greet, heard, lose, mark_busy, mark_free, next_control_serial, note_answer,
    note_broker_ready, note_stopped, set_pause, store_state_digest,
};
pub use row::HostRow;

use pointsman_shared::name::{HostId, PoolName};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};
use row::Columns;

macro_rules! select_hosts {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Columns,
            "SELECT id, labels, pools, kinds, public_key, broker_password_hash, broker_ready_at, joined_at, revoked_at,
                    paused_at, paused_by, paused_reason, instance_id, hello_nonce, last_seen_at, last_beat, working, busy_kinds, state_digest, hello_digest, hello_at
             FROM host " + $tail
            $(, $argument)*
        )
    };
}

/// The host with this id.
pub async fn get(conn: &mut PgConnection, id: &HostId) -> StoreResult<Option<HostRow>> {
    let row = select_hosts!("WHERE id = $1", id.as_str())
        .fetch_optional(conn)
        .await?;
    row.map(HostRow::try_from).transpose()
}

/// Locks a host until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: &HostId) -> StoreResult<Option<HostRow>> {
    let row = select_hosts!("WHERE id = $1 FOR NO KEY UPDATE", id.as_str())
        .fetch_optional(conn)
        .await?;
    row.map(HostRow::try_from).transpose()
}

/// Every host with a key, by id.
pub async fn joined(conn: &mut PgConnection) -> StoreResult<Vec<HostRow>> {
    all(
        select_hosts!("WHERE public_key IS NOT NULL AND revoked_at IS NULL ORDER BY id")
            .fetch_all(conn)
            .await?,
    )
}

/// Every joined host of a pool, by id.
pub async fn of_pool(conn: &mut PgConnection, pool: &PoolName) -> StoreResult<Vec<HostRow>> {
    all(select_hosts!(
        "WHERE public_key IS NOT NULL AND revoked_at IS NULL AND pools @> ARRAY[$1::text] ORDER BY id",
        pool.as_str()
    )
    .fetch_all(conn)
    .await?)
}

/// How many epochs the fleet works on, for the pause between beats.
pub async fn working(conn: &mut PgConnection) -> StoreResult<u64> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM host WHERE working > 0 AND revoked_at IS NULL"#
    )
    .fetch_one(conn)
    .await?;
    Ok(u64::try_from(count).unwrap_or_default())
}

fn all(rows: Vec<Columns>) -> StoreResult<Vec<HostRow>> {
    rows.into_iter()
        .map(HostRow::try_from)
        .collect::<Result<_, StoreError>>()
}
