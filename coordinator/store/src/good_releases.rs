//! Releases that were live in a target and healthy: where it may go back to.

use chrono::{DateTime, Utc};
use pointsman_domain::rollback::GoodRelease;
use pointsman_shared::ids::{ReleaseId, TargetId};
use pointsman_shared::name::TargetName;
use sqlx::PgConnection;

use crate::releases::state_named;
use crate::{StoreError, StoreResult};

/// Every good release of a target, newest first.
pub async fn of_target(conn: &mut PgConnection, target: TargetId) -> StoreResult<Vec<GoodRelease>> {
    let rows = sqlx::query!(
        "SELECT release.id, release.label, release.state, good.first_live_at, good.left_by_rollback_at
         FROM good_release AS good JOIN release ON release.id = good.release_id
         WHERE good.target_id = $1 ORDER BY good.first_live_at DESC",
        target.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |what: &dyn ToString| StoreError::inconsistent("release", row.id, what.to_string());
            Ok(GoodRelease {
                id: ReleaseId(row.id),
                label: row.label.parse().map_err(|e| wrong(&e))?,
                state: state_named(&row.state)
                    .ok_or_else(|| wrong(&format!("unknown state {}", row.state)))?,
                first_live_at: row.first_live_at,
                left_by_rollback: row.left_by_rollback_at.is_some(),
            })
        })
        .collect()
}

/// A release was live and healthy; being live again makes up for a rollback that left it.
pub async fn note_live(
    conn: &mut PgConnection,
    target: TargetId,
    release: ReleaseId,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO good_release (target_id, release_id, first_live_at, last_live_at) VALUES ($1, $2, $3, $3)
         ON CONFLICT (target_id, release_id) DO UPDATE SET last_live_at = $3, left_by_rollback_at = NULL",
        target.0,
        release.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A rollback left a release; it is no place to go back to until it was live again.
pub async fn note_left(
    conn: &mut PgConnection,
    target: TargetId,
    release: ReleaseId,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE good_release SET left_by_rollback_at = $3 WHERE target_id = $1 AND release_id = $2",
        target.0,
        release.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Post-migrations that are applied in a target and that a release does not know: each forbids going back to it.
pub async fn forbidding_migrations(
    conn: &mut PgConnection,
    target: TargetId,
    release: ReleaseId,
) -> StoreResult<Vec<String>> {
    let names = sqlx::query_scalar!(
        "SELECT applied.name FROM target_migration AS applied
         WHERE applied.target_id = $1 AND applied.phase = 'post' AND applied.state IN ('applied', 'indeterminate')
           AND NOT EXISTS (SELECT 1 FROM release_migration AS own
                           WHERE own.release_id = $2 AND own.phase = 'post' AND own.name = applied.name)
         ORDER BY applied.name",
        target.0,
        release.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(names)
}

/// Pre-migrations of a release that its target's ledger does not have applied: each must be applied before it is live.
pub async fn missing_migrations(
    conn: &mut PgConnection,
    target: TargetId,
    release: ReleaseId,
) -> StoreResult<Vec<String>> {
    let names = sqlx::query_scalar!(
        "SELECT own.name FROM release_migration AS own
         WHERE own.release_id = $2 AND own.phase = 'pre'
           AND NOT EXISTS (SELECT 1 FROM target_migration AS known
                           WHERE known.target_id = $1 AND known.phase = 'pre' AND known.name = own.name
                             AND known.state = 'applied')
         ORDER BY own.name",
        target.0,
        release.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(names)
}

/// The project's target in the environment before this one's, and whether the same bytes were live and healthy there
/// and no rollback left them since.
pub async fn in_stage_before(
    conn: &mut PgConnection,
    target: TargetId,
    release: ReleaseId,
) -> StoreResult<Option<(TargetName, bool)>> {
    let row = sqlx::query!(
        r#"SELECT project.name AS project, environment.name AS environment,
                  EXISTS (SELECT 1 FROM good_release AS good
                               JOIN release AS other ON other.id = good.release_id
                               JOIN release AS own ON own.id = $2
                          WHERE good.target_id = previous.id AND good.left_by_rollback_at IS NULL
                            AND (other.id = own.id OR other.manifest_digest = own.manifest_digest)) AS "good!"
           FROM target AS here
                JOIN environment AS stage ON stage.id = here.environment_id
                JOIN project ON project.id = here.project_id
                JOIN target AS previous ON previous.project_id = here.project_id
                JOIN environment ON environment.id = previous.environment_id AND environment.position < stage.position
           WHERE here.id = $1 ORDER BY environment.position DESC, environment.name LIMIT 1"#,
        target.0,
        release.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let wrong = |error| StoreError::inconsistent("target", target, error);
        let name = TargetName {
            project: row.project.parse().map_err(wrong)?,
            environment: row.environment.parse().map_err(wrong)?,
        };
        Ok((name, row.good))
    })
    .transpose()
}
