//! What a target's ledger said, beside what a release has.

use chrono::{DateTime, Utc};
use pointsman_domain::migrations::post_due;
use pointsman_domain::recipe::PostStart;
use pointsman_shared::api::migrations::{Migration, Migrations};
use pointsman_shared::ids::{ProjectId, TargetId};
use pointsman_shared::migration::{MigrationPhase, MigrationState};
use pointsman_shared::name::{ReleaseLabel, TargetName};
use sqlx::PgConnection;

use crate::migrations::{self, KnownMigration, ReleaseMigration};
use crate::releases::ReleaseRow;
use crate::targets::TargetRow;
use crate::{StoreError, StoreResult};

/// Runs of migrations whose logs are looked at.
const RUNS: i64 = 50;

/// Targets whose desired release brings migrations, or whose ledger has some.
pub async fn concerned(conn: &mut PgConnection) -> StoreResult<Vec<TargetId>> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM target
         WHERE EXISTS (SELECT FROM release_migration WHERE release_id = target.desired_release_id)
            OR EXISTS (SELECT FROM target_migration WHERE target_id = target.id)",
    );
    Ok(ids.fetch_all(conn).await?.into_iter().map(TargetId).collect())
}

/// How long a migration took where it ran last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Took {
    /// Its name.
    pub name: String,
    /// Where it ran.
    pub environment: String,
    /// For so many milliseconds.
    pub ms: u64,
}

/// How long these migrations took where the project ran each of them last, as far as the newest logs tell.
pub async fn took(conn: &mut PgConnection, project: ProjectId, names: &[String]) -> StoreResult<Vec<Took>> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (chunk.stage) chunk.stage AS name, environment.name AS environment,
                  substring(line.content->>'text' FROM '^applied in ([0-9]{1,12}) ms$')::bigint AS "ms!"
           FROM (SELECT number, target_id, log_stream_id, epoch FROM job
                 WHERE kind = 'migrate' AND project_id = $1 AND state = 'succeeded' AND migration_mode = 'apply'
                 ORDER BY number DESC LIMIT $3) AS run
                JOIN target ON target.id = run.target_id
                JOIN environment ON environment.id = target.environment_id
                JOIN log_chunk AS chunk ON chunk.stream_id = run.log_stream_id AND chunk.epoch = run.epoch
                                       AND chunk.stage = ANY ($2)
                CROSS JOIN LATERAL jsonb_array_elements(chunk.content->'lines') AS line (content)
           WHERE line.content->>'source' = 'agent' AND line.content->>'text' ~ '^applied in [0-9]{1,12} ms$'
           ORDER BY chunk.stage, run.number DESC"#,
        project.0,
        names,
        RUNS,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Took {
                name: row.name,
                environment: row.environment,
                ms: u64::try_from(row.ms).ok()?,
            })
        })
        .collect())
}

/// Post-migrations of a live release that may run and wait for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Where.
    pub target: TargetName,
    /// Of which release.
    pub release: ReleaseLabel,
    /// How many.
    pub pending: i64,
}

/// Targets whose people were reminded of post-migrations that still wait, of these projects alone where some are named.
/// A release that left and came back counts from its coming back.
pub async fn due(
    conn: &mut PgConnection,
    projects: Option<&[String]>,
    now: DateTime<Utc>,
) -> StoreResult<Vec<Due>> {
    let rows = sqlx::query!(
        r#"SELECT target.id, project.name AS project, environment.name AS environment, release.label,
                  target.desired_since AS "since!", release.recipe #>> '{migrations,post,after_s}' AS after_s,
                  waiting.pending AS "pending!"
           FROM target JOIN release ON release.id = target.desired_release_id
                JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
                CROSS JOIN LATERAL (
                    SELECT count(*) AS pending FROM release_migration AS own
                    WHERE own.release_id = release.id AND own.phase = 'post'
                      AND NOT EXISTS (SELECT 1 FROM target_migration AS known
                                      WHERE known.target_id = target.id AND known.phase = 'post'
                                        AND known.name = own.name AND known.state <> 'pending')) AS waiting
           WHERE target.reminded_release_id = target.desired_release_id AND target.desired_since IS NOT NULL
             AND waiting.pending > 0 AND ($1::text[] IS NULL OR project.name = ANY ($1))
           ORDER BY environment.position DESC, project.name"#,
        projects,
    )
    .fetch_all(conn)
    .await?;
    let mut all = Vec::new();
    for row in rows {
        let wrong = |error| StoreError::inconsistent("target", row.id, error);
        let after_s = row
            .after_s
            .and_then(|after| after.parse().ok())
            .unwrap_or_default();
        if post_due(row.since, after_s) > now {
            continue;
        }
        all.push(Due {
            target: TargetName {
                project: row.project.parse().map_err(wrong)?,
                environment: row.environment.parse().map_err(wrong)?,
            },
            release: row.label.parse().map_err(wrong)?,
            pending: row.pending,
        });
    }
    Ok(all)
}

/// A release's migrations in a target, and what was applied there without it.
pub async fn of(
    conn: &mut PgConnection,
    target: &TargetRow,
    release: Option<&ReleaseRow>,
) -> StoreResult<Migrations> {
    let known = migrations::of_target(conn, target.id).await?;
    let own = match release {
        Some(release) => migrations::of_release(conn, release.id).await?,
        None => Vec::new(),
    };
    let live = migrations::live_since(conn, target.id).await?;
    let runs = migrations::runs(conn, target.id).await?;
    let post = release
        .filter(|release| target.desired == Some(release.id))
        .and_then(|release| release.recipe.migrations.post.as_ref());
    Ok(Migrations {
        target: target.name.clone(),
        release: release.map(|release| release.label.clone()),
        post_from: post
            .zip(live.since)
            .map(|(post, since)| post_due(since, post.after_s)),
        post_auto: post.is_some_and(|post| post.start == PostStart::Auto),
        open_job: runs.iter().find(|run| run.is_open()).map(|run| run.number),
        unknown_job: runs
            .iter()
            .find(|run| run.is_indeterminate())
            .map(|run| run.number),
        items: items(own, known),
    })
}

fn items(own: Vec<ReleaseMigration>, mut known: Vec<KnownMigration>) -> Vec<Migration> {
    let mut items: Vec<_> = own
        .into_iter()
        .map(|own| {
            let at = known
                .iter()
                .position(|known| known.phase == own.phase && known.name == own.name);
            let known = at.map(|at| known.remove(at));
            Migration {
                phase: own.phase,
                name: own.name,
                state: known.as_ref().map(|known| known.state),
                own: true,
                reversible: own.reversible,
                job: known.as_ref().and_then(|known| known.job),
                seen_at: known.map(|known| known.seen_at),
            }
        })
        .collect();
    // Of what the release does not have, only what took effect matters.
    let others = known
        .into_iter()
        .filter(|known| known.state != MigrationState::Pending);
    items.extend(others.map(|known| Migration {
        phase: known.phase,
        name: known.name,
        state: Some(known.state),
        own: false,
        reversible: false,
        job: known.job,
        seen_at: Some(known.seen_at),
    }));
    items.sort_by(|a, b| {
        (a.phase == MigrationPhase::Post, &a.name).cmp(&(b.phase == MigrationPhase::Post, &b.name))
    });
    items
}
