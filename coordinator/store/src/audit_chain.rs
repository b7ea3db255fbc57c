//! The chain of hashes over the audit trail: what waits for it, its end, and its links beside their acts.
//!
//! Links are only ever added. What a link holds is decided in the domain; this only keeps it.

use chrono::{DateTime, Utc};
use pointsman_domain::audit::{ChainedAct, End, Link};
use pointsman_shared::digest::Digest;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, StoreResult, Transaction};

/// Key of the advisory lock under which links are added.
const CHAINING_LOCK: i64 = 0x706d_6163;

/// Whether the chain is ours until the transaction ends.
pub async fn lock(tx: &mut Transaction) -> StoreResult<bool> {
    let held = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock($1) AS "held!""#,
        CHAINING_LOCK
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(held)
}

/// The last link.
pub async fn end(conn: &mut PgConnection) -> StoreResult<End> {
    let row = sqlx::query!("SELECT position, hash FROM audit_chain ORDER BY position DESC LIMIT 1")
        .fetch_optional(conn)
        .await?;
    row.map_or_else(
        || Ok(End::default()),
        |row| {
            Ok(End {
                position: row.position,
                head: digest(row.position, row.hash)?,
            })
        },
    )
}

/// Acts that wait for their link, the first first.
pub async fn waiting(conn: &mut PgConnection, limit: i64) -> StoreResult<Vec<ChainedAct>> {
    let acts = sqlx::query_as!(
        ChainedAct,
        r#"SELECT id, number, at, principal_id AS principal, address, action, object, result, detail::text AS "detail!"
           FROM audit JOIN audit_unchained ON audit_id = id ORDER BY number LIMIT $1"#,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(acts)
}

/// Adds a link for each of these acts.
pub async fn append(tx: &mut Transaction, links: &[(Uuid, Link)]) -> StoreResult<()> {
    let ids: Vec<Uuid> = links.iter().map(|(id, _)| *id).collect();
    let positions: Vec<i64> = links.iter().map(|(_, link)| link.position).collect();
    let bytes = |digest: &Digest| digest.as_bytes().to_vec();
    let previous: Vec<Vec<u8>> = links.iter().map(|(_, link)| bytes(&link.previous)).collect();
    let hashes: Vec<Vec<u8>> = links.iter().map(|(_, link)| bytes(&link.hash)).collect();
    sqlx::query!(
        "INSERT INTO audit_chain (audit_id, position, prev_hash, hash)
         SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[])",
        &ids,
        &positions,
        &previous,
        &hashes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes that these acts wait no more.
pub async fn settle(tx: &mut Transaction, acts: &[Uuid]) -> StoreResult<()> {
    sqlx::query!("DELETE FROM audit_unchained WHERE audit_id = ANY($1)", acts)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many acts have no link, whether they are known to wait for one or not.
pub async fn without_link(conn: &mut PgConnection) -> StoreResult<i64> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM audit
           WHERE NOT EXISTS (SELECT FROM audit_chain WHERE audit_id = audit.id)"#
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

struct Columns {
    position: i64,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
    id: Uuid,
    number: i64,
    at: DateTime<Utc>,
    principal: Uuid,
    address: Option<String>,
    action: String,
    object: String,
    result: String,
    detail: String,
}

/// Links after a place, in order, each with its act.
pub async fn after(
    conn: &mut PgConnection,
    position: i64,
    limit: i64,
) -> StoreResult<Vec<(Link, ChainedAct)>> {
    let rows = sqlx::query_as!(
        Columns,
        r#"SELECT position, prev_hash, hash, id, number, at, principal_id AS principal, address, action, object, result,
                  detail::text AS "detail!"
           FROM audit_chain JOIN audit ON audit.id = audit_id
           WHERE position > $1 ORDER BY position LIMIT $2"#,
        position,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(link).collect()
}

fn link(row: Columns) -> StoreResult<(Link, ChainedAct)> {
    let link = Link {
        position: row.position,
        previous: digest(row.position, row.prev_hash)?,
        hash: digest(row.position, row.hash)?,
    };
    let act = ChainedAct {
        id: row.id,
        number: row.number,
        at: row.at,
        principal: row.principal,
        address: row.address,
        action: row.action,
        object: row.object,
        result: row.result,
        detail: row.detail,
    };
    Ok((link, act))
}

fn digest(position: i64, bytes: Vec<u8>) -> StoreResult<Digest> {
    let bytes = bytes
        .try_into()
        .map_err(|_| StoreError::inconsistent("audit_chain", position, "a hash is not 32 bytes long"))?;
    Ok(Digest::from_bytes(bytes))
}
