//! The newest jobs of a host, for its page: what it did or is to do, in a line each.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::name::HostId;
use serde::Serialize;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A job of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostJob {
    /// Its number.
    pub number: i64,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// The target, or the project where it has none.
    pub place: String,
    /// Label of the release it is about.
    pub release: Option<String>,
    /// Why it is as it is.
    pub reason: Option<String>,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
}

/// Jobs that were ordered of a host or that it took from a pool, newest first.
pub async fn newest(conn: &mut PgConnection, host: &HostId, limit: i64) -> StoreResult<Vec<HostJob>> {
    let rows = sqlx::query!(
        r#"SELECT job.number, job.kind, job.state, project.name || COALESCE('@' || environment.name, '') AS "place!",
                  release.label AS "release?", job.reason, job.created_at
           FROM job JOIN project ON project.id = job.project_id
                LEFT JOIN target ON target.id = job.target_id
                LEFT JOIN environment ON environment.id = target.environment_id
                LEFT JOIN release ON release.id = job.release_id
           WHERE COALESCE(job.host_id, job.worker_id) = $1
           ORDER BY job.number DESC LIMIT $2"#,
        host.as_str(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let state = super::jobs::state_from(&row.state)
                .ok_or_else(|| StoreError::inconsistent("job", row.number, "its state is none of ours"))?;
            Ok(HostJob {
                number: row.number,
                kind: row.kind,
                state,
                place: row.place,
                release: row.release,
                reason: row.reason,
                created_at: row.created_at,
            })
        })
        .collect()
}
