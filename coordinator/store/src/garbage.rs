//! What lies on hosts, and what still needs it: the facts that a collection is decided from. Of the store's own garbage
//! knows `store_garbage`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use pointsman_domain::retention::{Candidate, Needs};
use pointsman_shared::ids::{PlacementId, ReleaseId, TargetId};
use pointsman_shared::name::{HostId, ReleaseFolder, ReleaseLabel, TargetName};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult, good_releases};

/// A folder in a placement's `releases/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lying {
    /// Its name.
    pub folder: ReleaseFolder,
    /// The release it is; none = nobody here made it.
    pub release: Option<LyingRelease>,
}

/// The release that a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LyingRelease {
    /// What decides about it.
    pub candidate: Candidate,
    /// Its label.
    pub label: ReleaseLabel,
    /// Sum of its file sizes.
    pub bytes: u64,
}

/// What lies on a placement, oldest release first.
pub async fn on_placement(conn: &mut PgConnection, placement: PlacementId) -> StoreResult<Vec<Lying>> {
    let rows = sqlx::query!(
        r#"SELECT lying.folder, release.id AS "id?", release.label AS "label?", release.total_bytes,
                  COALESCE(release.built_at, release.created_at) AS "built_at?",
                  pin.evidence, principal.name AS "pinned_by?"
           FROM placement_release AS lying
                LEFT JOIN release ON release.id = lying.release_id
                LEFT JOIN release_mark AS pin ON pin.release_id = release.id AND pin.mark = 'pinned'
                LEFT JOIN principal ON principal.id = pin.marked_by
           WHERE lying.placement_id = $1 ORDER BY lying.folder"#,
        placement.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong =
                |what: &dyn ToString| StoreError::inconsistent("placement", placement, what.to_string());
            let release = match (row.id, row.label, row.built_at) {
                (Some(id), Some(label), Some(built_at)) => Some(LyingRelease {
                    candidate: Candidate {
                        id: ReleaseId(id),
                        built_at,
                        pinned: row.pinned_by.map(|by| pin_words(&by, row.evidence.as_deref())),
                    },
                    label: label.parse().map_err(|e| wrong(&e))?,
                    bytes: row
                        .total_bytes
                        .and_then(|bytes| u64::try_from(bytes).ok())
                        .unwrap_or_default(),
                }),
                _ => None,
            };
            Ok(Lying {
                folder: row.folder.parse().map_err(|e| wrong(&e))?,
                release,
            })
        })
        .collect()
}

fn pin_words(by: &str, why: Option<&str>) -> String {
    why.map_or_else(|| by.to_owned(), |why| format!("{by}: {why}"))
}

/// What a target needs on its hosts, read under its lock.
pub async fn needs(conn: &mut PgConnection, target: TargetId, live: Option<ReleaseId>) -> StoreResult<Needs> {
    Ok(Needs {
        live,
        confirmed: confirmed(conn, target).await?,
        in_flight: in_flight(conn, target).await?,
        good: good_releases::of_target(conn, target).await?,
    })
}

/// What hosts say that they have live, and what was last tried where nobody knows.
async fn confirmed(conn: &mut PgConnection, target: TargetId) -> StoreResult<BTreeSet<ReleaseId>> {
    let ids = sqlx::query_scalar!(
        r#"SELECT confirmed_release_id AS "id!" FROM placement
           WHERE target_id = $1 AND retired_at IS NULL AND confirmed_release_id IS NOT NULL
           UNION SELECT attempted_release_id FROM placement
           WHERE target_id = $1 AND retired_at IS NULL AND confirmed_release_id IS NULL
                 AND attempted_release_id IS NOT NULL
           UNION SELECT lying.release_id FROM placement
                 JOIN placement_release AS lying ON lying.placement_id = placement.id
                                                AND lying.folder = placement.current_folder
           WHERE target_id = $1 AND retired_at IS NULL AND lying.release_id IS NOT NULL"#,
        target.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(ReleaseId).collect())
}

/// What open deployments and jobs want, or would go back to.
async fn in_flight(conn: &mut PgConnection, target: TargetId) -> StoreResult<BTreeSet<ReleaseId>> {
    let ids = sqlx::query_scalar!(
        r#"SELECT release_id AS "id!" FROM deployment WHERE target_id = $1 AND ended_at IS NULL
           UNION SELECT from_release_id FROM deployment
           WHERE target_id = $1 AND ended_at IS NULL AND from_release_id IS NOT NULL
           UNION SELECT (rollback->'to'->>'id')::uuid FROM deployment
           WHERE target_id = $1 AND ended_at IS NULL AND rollback IS NOT NULL
           UNION SELECT release_id FROM job
           WHERE target_id = $1 AND ended_at IS NULL AND release_id IS NOT NULL"#,
        target.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(ReleaseId).collect())
}

/// These folders are being collected: nobody counts on them any more. Should they stay, the host's next state says so.
pub async fn give_up(
    conn: &mut PgConnection,
    placement: PlacementId,
    folders: &[ReleaseFolder],
) -> StoreResult<()> {
    let folders: Vec<_> = folders.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "DELETE FROM placement_release WHERE placement_id = $1 AND folder = ANY ($2)",
        placement.0,
        &folders,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A release that was collected from hosts of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The target.
    pub target: TargetName,
    /// Number of the release.
    pub number: i32,
    /// What people call it.
    pub label: String,
    /// From how many hosts.
    pub hosts: i64,
    /// When the last of them gave it up.
    pub at: DateTime<Utc>,
}

/// Releases that were collected from hosts of these targets since then, and that a host of theirs still lacks: newest
/// first.
pub async fn collected(
    conn: &mut PgConnection,
    targets: &[String],
    since: DateTime<Utc>,
    limit: i64,
) -> StoreResult<Vec<Collected>> {
    let rows = sqlx::query!(
        r#"SELECT project.name AS project, environment.name AS environment, release.number, release.label,
                  count(DISTINCT job.host_id) AS "hosts!", max(job.ended_at) AS "at!"
           FROM job JOIN target ON target.id = job.target_id
                JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
                CROSS JOIN LATERAL jsonb_array_elements_text(job.body::jsonb #> '{order,folders}') AS folder (name)
                JOIN release ON release.project_id = project.id AND release.folder = folder.name
           WHERE job.kind = 'collect_garbage' AND job.state = 'succeeded' AND job.ended_at > $2
             AND project.name || '@' || environment.name = ANY ($1) AND release.state = 'built'
             AND EXISTS (SELECT FROM placement
                         WHERE placement.target_id = target.id AND placement.retired_at IS NULL
                           AND NOT EXISTS (SELECT FROM placement_release AS lying
                                           WHERE lying.placement_id = placement.id AND lying.release_id = release.id))
           GROUP BY 1, 2, 3, 4 ORDER BY max(job.ended_at) DESC, release.number DESC LIMIT $3"#,
        targets,
        since,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |error| StoreError::inconsistent("release", &row.label, error);
            Ok(Collected {
                target: TargetName {
                    project: row.project.parse().map_err(wrong)?,
                    environment: row.environment.parse().map_err(wrong)?,
                },
                number: row.number,
                label: row.label.clone(),
                hosts: row.hosts,
                at: row.at,
            })
        })
        .collect()
}

/// Free bytes that a host last told.
pub async fn free_bytes(conn: &mut PgConnection, host: &HostId) -> StoreResult<Option<u64>> {
    let bytes = sqlx::query_scalar!("SELECT free_bytes FROM host WHERE id = $1", host.as_str())
        .fetch_optional(conn)
        .await?
        .flatten();
    Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()))
}

/// Keeps a release whatever happens; again = with a new reason.
pub async fn pin(
    conn: &mut PgConnection,
    release: ReleaseId,
    by: pointsman_shared::ids::PrincipalId,
    why: Option<&str>,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO release_mark (release_id, mark, marked_by, evidence, marked_at) VALUES ($1, 'pinned', $2, $3, $4)
         ON CONFLICT (release_id, mark) DO UPDATE SET marked_by = $2, evidence = $3, marked_at = $4",
        release.0,
        by.0,
        why,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets a release go its way again; false = it was not pinned.
pub async fn unpin(conn: &mut PgConnection, release: ReleaseId) -> StoreResult<bool> {
    let done = sqlx::query!(
        "DELETE FROM release_mark WHERE release_id = $1 AND mark = 'pinned'",
        release.0
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
