//! Everybody and everything that acts: users, tokens, agents, schedules, the system.

use chrono::{DateTime, Utc};
use pointsman_domain::ActorKind;
use pointsman_shared::ids::PrincipalId;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// The principal of this kind and name; it is made with the id `fresh` when there is none.
pub async fn ensure(
    conn: &mut PgConnection,
    fresh: PrincipalId,
    kind: ActorKind,
    name: &str,
    now: DateTime<Utc>,
) -> StoreResult<PrincipalId> {
    let id = sqlx::query_scalar!(
        "INSERT INTO principal (id, kind, name, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (kind, name) DO UPDATE SET name = excluded.name
         RETURNING id",
        fresh.0,
        kind_name(kind),
        name,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(PrincipalId(id))
}

/// The name of a kind in the database.
pub const fn kind_name(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::User => "user",
        ActorKind::Token => "token",
        ActorKind::Agent => "agent",
        ActorKind::Schedule => "schedule",
        ActorKind::System => "system",
    }
}

/// The kind with this name.
pub fn kind_from(name: &str) -> StoreResult<ActorKind> {
    match name {
        "user" => Ok(ActorKind::User),
        "token" => Ok(ActorKind::Token),
        "agent" => Ok(ActorKind::Agent),
        "schedule" => Ok(ActorKind::Schedule),
        "system" => Ok(ActorKind::System),
        other => Err(StoreError::inconsistent(
            "principal",
            other,
            "no such kind of principal",
        )),
    }
}
