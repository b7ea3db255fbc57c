//! What a target's ledger said, beside what a release has.

use pointsman_domain::migrations::post_due;
use pointsman_domain::recipe::PostStart;
use pointsman_shared::api::migrations::{Migration, Migrations};
use pointsman_shared::ids::TargetId;
use pointsman_shared::migration::{MigrationPhase, MigrationState};
use sqlx::PgConnection;

use crate::StoreResult;
use crate::migrations::{self, KnownMigration, ReleaseMigration};
use crate::releases::ReleaseRow;
use crate::targets::TargetRow;

/// Targets whose desired release brings migrations, or whose ledger has some.
pub async fn concerned(conn: &mut PgConnection) -> StoreResult<Vec<TargetId>> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM target
         WHERE EXISTS (SELECT FROM release_migration WHERE release_id = target.desired_release_id)
            OR EXISTS (SELECT FROM target_migration WHERE target_id = target.id)",
    );
    Ok(ids.fetch_all(conn).await?.into_iter().map(TargetId).collect())
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
