//! What holds a target's pushes back, and what of a target's history tells whether it still should.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use pointsman_shared::api::pushes::{CommitRange, PushPause};
use pointsman_shared::ids::{DeploymentId, ReleaseId, TargetId};
use pointsman_shared::repository::CommitId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, StoreResult};

/// A pause that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseRow {
    /// Its id.
    pub id: Uuid,
    /// What it is.
    pub pause: PushPause,
}

struct Columns {
    id: Uuid,
    target_id: Uuid,
    good_commit: Option<String>,
    bad_commit: Option<String>,
    reason: String,
    made_by: String,
    made_at: DateTime<Utc>,
}

impl TryFrom<Columns> for PauseRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let id = row.id;
        let commit = |text: String| {
            let parsed: Result<CommitId, _> = text.parse();
            parsed.map_err(|error| StoreError::inconsistent("push_pause", id, error))
        };
        let range = match (row.good_commit, row.bad_commit) {
            (Some(good), Some(bad)) => Some(CommitRange {
                good: commit(good)?,
                bad: commit(bad)?,
            }),
            (None, _) | (_, None) => None,
        };
        Ok(Self {
            id,
            pause: PushPause {
                reason: row.reason,
                by: row.made_by,
                since: row.made_at,
                range,
            },
        })
    }
}

/// The pauses that hold for these targets, oldest first.
pub async fn of_targets(
    conn: &mut PgConnection,
    targets: &[Uuid],
) -> StoreResult<HashMap<TargetId, Vec<PauseRow>>> {
    let rows = sqlx::query_as!(
        Columns,
        "SELECT id, target_id, good_commit, bad_commit, reason, made_by, made_at FROM push_pause
         WHERE target_id = ANY ($1) AND lifted_at IS NULL ORDER BY made_at, id",
        targets,
    )
    .fetch_all(conn)
    .await?;
    let mut pauses: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        pauses
            .entry(TargetId(row.target_id))
            .or_default()
            .push(row.try_into()?);
    }
    Ok(pauses)
}

/// The pauses that hold for a target, oldest first.
pub async fn of_target(conn: &mut PgConnection, target: TargetId) -> StoreResult<Vec<PauseRow>> {
    Ok(of_targets(conn, &[target.0])
        .await?
        .remove(&target)
        .unwrap_or_default())
}

/// Makes a pause, for a rollback that is a deployment of its own with that; one of the same range that holds already stays as it is. False = there was one.
pub async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    target: TargetId,
    rollback: Option<DeploymentId>,
    pause: &PushPause,
) -> StoreResult<bool> {
    let done = sqlx::query!(
        "INSERT INTO push_pause (id, target_id, good_commit, bad_commit, reason, made_by, made_at, deployment_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        id,
        target.0,
        pause.range.as_ref().map(|range| range.good.as_str()),
        pause.range.as_ref().map(|range| range.bad.as_str()),
        pause.reason,
        pause.by,
        pause.since,
        rollback.map(|rollback| rollback.0),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lifts one pause.
pub async fn lift(conn: &mut PgConnection, id: Uuid, by: &str, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE push_pause SET lifted_at = $2, lifted_by = $3 WHERE id = $1 AND lifted_at IS NULL",
        id,
        now,
        by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lifts the pause that a rollback made which did not happen.
pub async fn lift_of(conn: &mut PgConnection, rollback: DeploymentId, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE push_pause SET lifted_at = $2, lifted_by = 'the end of its rollback'
         WHERE deployment_id = $1 AND lifted_at IS NULL",
        rollback.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lifts all pauses of a target; returns how many.
pub async fn lift_all(
    conn: &mut PgConnection,
    target: TargetId,
    by: &str,
    now: DateTime<Utc>,
) -> StoreResult<u64> {
    let done = sqlx::query!(
        "UPDATE push_pause SET lifted_at = $2, lifted_by = $3 WHERE target_id = $1 AND lifted_at IS NULL",
        target.0,
        now,
        by
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// A release by its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// The release.
    pub release: ReleaseId,
    /// Its commit.
    pub commit: CommitId,
    /// Number of the deployment.
    pub deployment: i64,
}

/// What a target's newest deployment that started, and is no rollback, took there: what a rollback leaves.
pub async fn newest_started(conn: &mut PgConnection, target: TargetId) -> StoreResult<Option<Deployed>> {
    let row = sqlx::query!(
        "SELECT deployment.number, deployment.release_id, release.commit_id
         FROM deployment JOIN release ON release.id = deployment.release_id
         WHERE deployment.target_id = $1 AND deployment.kind = 'deploy' AND deployment.started_at IS NOT NULL
         ORDER BY deployment.number DESC LIMIT 1",
        target.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| deployed(row.number, row.release_id, &row.commit_id))
        .transpose()
}

/// What a target's newest deployment took live there that ended after `since`.
pub async fn newest_live(
    conn: &mut PgConnection,
    target: TargetId,
    since: DateTime<Utc>,
) -> StoreResult<Option<Deployed>> {
    let row = sqlx::query!(
        "SELECT deployment.number, deployment.release_id, release.commit_id
         FROM deployment JOIN release ON release.id = deployment.release_id
         WHERE deployment.target_id = $1 AND deployment.outcome = 'live'
           AND deployment.ended_at > $2
         ORDER BY deployment.ended_at DESC LIMIT 1",
        target.0,
        since,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| deployed(row.number, row.release_id, &row.commit_id))
        .transpose()
}

/// What of a commit is in a target already: the newest deployment there that is open, or the live one, when it is of
/// this commit.
pub async fn on_its_way(
    conn: &mut PgConnection,
    target: TargetId,
    commit: &CommitId,
) -> StoreResult<Option<Deployed>> {
    let row = sqlx::query!(
        "SELECT newest.number, newest.release_id, release.commit_id
         FROM (SELECT deployment.number, deployment.release_id, deployment.ended_at FROM deployment
               WHERE deployment.target_id = $1
                 AND (deployment.ended_at IS NULL AND deployment.cancel IS NULL AND deployment.rollback IS NULL
                        AND COALESCE(deployment.scheduled_for <= now(), true)
                      OR deployment.outcome = 'live' AND deployment.release_id
                         = (SELECT desired_release_id FROM target WHERE target.id = $1))
               ORDER BY deployment.ended_at IS NOT NULL, deployment.number DESC LIMIT 1) newest
         JOIN release ON release.id = newest.release_id
         WHERE release.commit_id = $2",
        target.0,
        commit.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| deployed(row.number, row.release_id, &row.commit_id))
        .transpose()
}

fn deployed(number: i64, release: Uuid, commit: &str) -> StoreResult<Deployed> {
    Ok(Deployed {
        release: ReleaseId(release),
        commit: commit
            .parse()
            .map_err(|error: pointsman_shared::repository::InvalidRepository| {
                StoreError::inconsistent("release", release, error)
            })?,
        deployment: number,
    })
}
