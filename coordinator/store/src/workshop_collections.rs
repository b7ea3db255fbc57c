//! Collections of what builds left behind on builders: jobs of no placement, one open at a time on a host.

use chrono::{DateTime, Utc};
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::Outcome;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::StoreResult;

/// A collection that ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Number of the job.
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What it said.
    pub outcome: Outcome,
}

/// Number of the collection that is open on a builder.
pub async fn open(conn: &mut PgConnection, host: &HostId) -> StoreResult<Option<i64>> {
    let number = sqlx::query_scalar!(
        "SELECT number FROM job
         WHERE host_id = $1 AND kind = 'collect_garbage' AND placement_id IS NULL AND ended_at IS NULL",
        host.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(number)
}

/// The newest collection on a builder that ended well.
pub async fn newest(conn: &mut PgConnection, host: &HostId) -> StoreResult<Option<Ended>> {
    let row = sqlx::query!(
        r#"SELECT number, ended_at AS "at!", outcome AS "outcome!: Json<Outcome>" FROM job
           WHERE host_id = $1 AND kind = 'collect_garbage' AND placement_id IS NULL AND state = 'succeeded'
                 AND outcome IS NOT NULL
           ORDER BY number DESC LIMIT 1"#,
        host.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Ended {
        number: row.number,
        at: row.at,
        outcome: row.outcome.0,
    }))
}
