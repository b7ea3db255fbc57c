//! Which root belongs to which target on which host, before placements say so: two targets of one host never share one.

use std::collections::BTreeMap;

use pointsman_shared::ids::TargetId;
use sqlx::PgConnection;

use crate::targets::TargetRow;
use crate::{StoreError, StoreResult};

/// Key of the advisory lock under which targets and hosts' labels change.
const ROOTS_LOCK: i64 = 0x706d_726f;

/// Another target that would use the same root on the same host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The host.
    pub host: String,
    /// The other target.
    pub target: String,
}

/// Two targets that would use one root on a host with certain labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// One target.
    pub one: String,
    /// The other.
    pub other: String,
    /// The root.
    pub root: String,
}

/// One change at a time to what roots rest on; held until the transaction ends.
pub async fn lock(conn: &mut PgConnection) -> StoreResult<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", ROOTS_LOCK)
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// A host that fits this target and another one with the same root.
pub async fn clash_of_target(conn: &mut PgConnection, target: &TargetRow) -> StoreResult<Option<Clash>> {
    let labels = labels(&target.labels)?;
    let clash = sqlx::query_as!(
        Clash,
        r#"SELECT host.id AS host, project.name || '@' || environment.name AS "target!"
           FROM host JOIN target ON host.labels @> target.labels
                     JOIN project ON project.id = target.project_id
                     JOIN environment ON environment.id = target.environment_id
           WHERE host.labels @> $1 AND target.root = $2 AND target.id <> $3
           ORDER BY host.id LIMIT 1"#,
        labels,
        target.root.as_str(),
        target.id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(clash)
}

/// Two targets that would share a root on a host with these labels.
pub async fn clash_of_labels(
    conn: &mut PgConnection,
    of_host: &BTreeMap<String, String>,
) -> StoreResult<Option<Pair>> {
    let labels = labels(of_host)?;
    let pair = sqlx::query_as!(
        Pair,
        r#"SELECT p1.name || '@' || e1.name AS "one!", p2.name || '@' || e2.name AS "other!", t1.root
           FROM target t1 JOIN target t2 ON t2.root = t1.root AND t2.id > t1.id
                JOIN project p1 ON p1.id = t1.project_id JOIN environment e1 ON e1.id = t1.environment_id
                JOIN project p2 ON p2.id = t2.project_id JOIN environment e2 ON e2.id = t2.environment_id
           WHERE $1::jsonb @> t1.labels AND $1::jsonb @> t2.labels
           ORDER BY 1, 2 LIMIT 1"#,
        labels,
    )
    .fetch_optional(conn)
    .await?;
    Ok(pair)
}

/// Whether releases may lie below a target's root.
pub async fn is_in_use(conn: &mut PgConnection, target: TargetId) -> StoreResult<bool> {
    let used = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM placement WHERE target_id = $1 AND retired_at IS NULL
                          AND (attempted_release_id IS NOT NULL OR current_folder IS NOT NULL)) AS "used!""#,
        target.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(used)
}

fn labels(labels: &BTreeMap<String, String>) -> StoreResult<serde_json::Value> {
    serde_json::to_value(labels).map_err(|error| StoreError::inconsistent("target", "labels", error))
}
