//! Acts of principals: rows are only ever added, and a trigger says so too.

use chrono::{DateTime, Utc};
use pointsman_domain::Actor;
use pointsman_shared::ids::AuditId;
use sqlx::PgConnection;

use crate::StoreResult;

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActResult {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// An act to append.
#[derive(Debug, Clone)]
pub struct Act<'a> {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: &'a Actor,
    /// What, such as `deployment.request`.
    pub action: &'a str,
    /// On what, such as `shop@production`.
    pub object: &'a str,
    /// How it ended.
    pub result: ActResult,
    /// More of it.
    pub detail: serde_json::Value,
}

/// Appends an act.
pub async fn append(conn: &mut PgConnection, act: &Act<'_>) -> StoreResult<()> {
    let result = match act.result {
        ActResult::Done => "done",
        ActResult::Refused => "refused",
    };
    sqlx::query!(
        "INSERT INTO audit (id, at, principal_id, address, action, object, result, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        act.id.0,
        act.at,
        act.actor.principal.0,
        act.actor.address,
        act.action,
        act.object,
        result,
        act.detail,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Refused attempts.
#[derive(Debug, Clone, Copy)]
pub struct Attempts {
    /// On this object, from anywhere.
    pub on_object: i64,
    /// From this address, on anything.
    pub from_address: i64,
}

/// How often an action was refused since then.
pub async fn refused_since(
    conn: &mut PgConnection,
    action: &str,
    object: &str,
    address: Option<&str>,
    since: DateTime<Utc>,
) -> StoreResult<Attempts> {
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE object = $2) AS "on_object!", count(*) FILTER (WHERE address = $3) AS "from_address!"
           FROM audit WHERE at > $4 AND action = $1 AND result = 'refused'"#,
        action,
        object,
        address,
        since,
    )
    .fetch_one(conn)
    .await?;
    Ok(Attempts {
        on_object: row.on_object,
        from_address: row.from_address,
    })
}
