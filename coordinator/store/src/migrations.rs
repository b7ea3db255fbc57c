//! Migrations of projects: which ones a release has, and what the ledger of each target said when it was last read.
//!
//! The ledger itself lies in the project's own database; what stands here may be old, and says since when.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{JobId, ProjectId, ReleaseId, TargetId};
use pointsman_shared::migration::{MigrationName, MigrationPhase, MigrationState};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::from_agent::LedgerEntry;
use pointsman_shared::wire::job::MigrateMode;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A migration that a release has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseMigration {
    /// Its phase.
    pub phase: MigrationPhase,
    /// Its name.
    pub name: MigrationName,
    /// SHA-256 of its script; none where the project's own tool runs it.
    pub checksum: Option<Digest>,
    /// Whether there is a way back.
    pub reversible: bool,
}

/// A migration as a target's ledger had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMigration {
    /// Its phase.
    pub phase: MigrationPhase,
    /// Its name.
    pub name: MigrationName,
    /// Where it stood.
    pub state: MigrationState,
    /// Number of the job that read it.
    pub job: Option<i64>,
    /// When.
    pub seen_at: DateTime<Utc>,
}

fn phase(text: &str) -> Option<MigrationPhase> {
    MigrationPhase::ALL
        .into_iter()
        .find(|phase| phase.as_str() == text)
}

fn digest(bytes: Option<Vec<u8>>) -> Option<Digest> {
    bytes
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .map(Digest::from_bytes)
}

/// Writes down that a release has a migration; again is the same.
pub async fn add_to_release(
    conn: &mut PgConnection,
    release: ReleaseId,
    migration: &ReleaseMigration,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO release_migration (release_id, phase, name, checksum, reversible) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (release_id, phase, name) DO NOTHING",
        release.0,
        migration.phase.as_str(),
        migration.name.as_str(),
        migration.checksum.as_ref().map(|digest| digest.as_bytes().as_slice()),
        migration.reversible,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a release has, in the order in which it is applied.
pub async fn of_release(conn: &mut PgConnection, release: ReleaseId) -> StoreResult<Vec<ReleaseMigration>> {
    let rows = sqlx::query!(
        r#"SELECT phase, name, checksum, reversible FROM release_migration WHERE release_id = $1
           ORDER BY phase = 'post', name COLLATE "C""#,
        release.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |what: &str| StoreError::inconsistent("release", release, what);
            Ok(ReleaseMigration {
                phase: phase(&row.phase).ok_or_else(|| wrong("a migration of an unknown phase"))?,
                name: row
                    .name
                    .parse()
                    .map_err(|_| wrong("a migration with an impossible name"))?,
                checksum: digest(row.checksum),
                reversible: row.reversible,
            })
        })
        .collect()
}

/// The newest built release of a project that has a migration.
pub async fn newest_with(
    conn: &mut PgConnection,
    project: ProjectId,
    phase: MigrationPhase,
    name: &MigrationName,
) -> StoreResult<Option<ReleaseId>> {
    let id = sqlx::query_scalar!(
        "SELECT release.id FROM release_migration AS own JOIN release ON release.id = own.release_id
         WHERE release.project_id = $1 AND release.state = 'built' AND own.phase = $2 AND own.name = $3
         ORDER BY release.number DESC LIMIT 1",
        project.0,
        phase.as_str(),
        name.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(ReleaseId))
}

/// Writes down what a ledger says about one migration.
pub async fn note(
    conn: &mut PgConnection,
    target: TargetId,
    phase: MigrationPhase,
    entry: &LedgerEntry,
    job: JobId,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO target_migration (target_id, phase, name, checksum, state, job_id, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (target_id, phase, name)
         DO UPDATE SET checksum = $4, state = $5, job_id = $6, seen_at = $7",
        target.0,
        phase.as_str(),
        entry.name.as_str(),
        entry.checksum.as_ref().map(|digest| digest.as_bytes().as_slice()),
        entry.state.as_str(),
        job.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Number of the newest job that read a phase of a target's ledger.
pub async fn read_by(
    conn: &mut PgConnection,
    target: TargetId,
    phase: MigrationPhase,
) -> StoreResult<Option<i64>> {
    Ok(sqlx::query_scalar!(
        "SELECT max(job.number) FROM target_migration AS known JOIN job ON job.id = known.job_id
         WHERE known.target_id = $1 AND known.phase = $2",
        target.0,
        phase.as_str(),
    )
    .fetch_one(conn)
    .await?)
}

/// Writes down that a page of a ledger came; returns how many of this reading are there now.
pub async fn note_page(conn: &mut PgConnection, job: JobId, page: u32) -> StoreResult<u32> {
    let number = i32::try_from(page).map_err(|error| StoreError::inconsistent("ledger_page", job, error))?;
    sqlx::query!(
        "INSERT INTO ledger_page (job_id, page) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        job.0,
        number,
    )
    .execute(&mut *conn)
    .await?;
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM ledger_page WHERE job_id = $1"#,
        job.0
    )
    .fetch_one(conn)
    .await?;
    u32::try_from(count).map_err(|error| StoreError::inconsistent("ledger_page", job, error))
}

/// Forgets what a ledger no longer names, once every page of it was read by this job.
pub async fn forget_others(
    conn: &mut PgConnection,
    target: TargetId,
    phase: MigrationPhase,
    job: JobId,
) -> StoreResult<()> {
    sqlx::query!(
        "DELETE FROM target_migration WHERE target_id = $1 AND phase = $2 AND job_id IS DISTINCT FROM $3",
        target.0,
        phase.as_str(),
        job.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is known of a target's ledger, in the order in which it is applied.
pub async fn of_target(conn: &mut PgConnection, target: TargetId) -> StoreResult<Vec<KnownMigration>> {
    let rows = sqlx::query!(
        r#"SELECT known.phase, known.name, known.state, job.number AS "job?", known.seen_at
           FROM target_migration AS known LEFT JOIN job ON job.id = known.job_id
           WHERE known.target_id = $1 ORDER BY known.phase = 'post', known.name COLLATE "C""#,
        target.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |what: &str| StoreError::inconsistent("target", target, what);
            let state = MigrationState::ALL
                .into_iter()
                .find(|state| state.as_str() == row.state);
            Ok(KnownMigration {
                phase: phase(&row.phase).ok_or_else(|| wrong("a migration of an unknown phase"))?,
                name: row
                    .name
                    .parse()
                    .map_err(|_| wrong("a migration with an impossible name"))?,
                state: state.ok_or_else(|| wrong("a migration in an unknown state"))?,
                job: row.job,
                seen_at: row.seen_at,
            })
        })
        .collect()
}

/// A run as the ones after it need to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The job.
    pub job: JobId,
    /// Its number.
    pub number: i64,
    /// Its phase.
    pub phase: MigrationPhase,
    /// What it does.
    pub mode: MigrateMode,
    /// Where it stands.
    pub state: JobState,
    /// The release whose scripts it runs.
    pub release: Option<ReleaseId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Run {
    /// Whether it may still do something.
    pub fn is_open(&self) -> bool {
        !self.state.is_final() && !self.is_indeterminate()
    }

    /// Whether it is at the ledger, or was asked to be.
    pub fn is_active(&self) -> bool {
        self.is_open() && self.state != JobState::Queued
    }

    /// Whether nobody knows what it did.
    pub fn is_indeterminate(&self) -> bool {
        self.state == JobState::Indeterminate
    }

    /// Whether it only reads.
    pub fn is_look(&self) -> bool {
        self.mode == MigrateMode::List
    }
}

/// The newest runs at a target's ledger, newest first, and every older one whose effect is unknown.
pub async fn runs(conn: &mut PgConnection, target: TargetId) -> StoreResult<Vec<Run>> {
    let rows = sqlx::query!(
        r#"SELECT id, number, migration_phase AS "phase!", migration_mode AS "mode!", state, release_id, created_at,
                  ended_at
           FROM job WHERE target_id = $1 AND kind = 'migrate'
                AND (state = 'indeterminate'
                     OR number >= COALESCE((SELECT number FROM job AS newest
                                            WHERE newest.target_id = $1 AND newest.kind = 'migrate'
                                            ORDER BY number DESC OFFSET 49 LIMIT 1), 0))
           ORDER BY number DESC"#,
        target.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let unknown = || StoreError::inconsistent("job", row.id, "its phase, mode or state is unknown");
            Ok(Run {
                job: JobId(row.id),
                number: row.number,
                phase: phase(&row.phase).ok_or_else(unknown)?,
                mode: MigrateMode::ALL
                    .into_iter()
                    .find(|mode| mode.as_str() == row.mode)
                    .ok_or_else(unknown)?,
                state: serde_json::from_value(serde_json::Value::String(row.state)).map_err(|_| unknown())?,
                release: row.release_id.map(ReleaseId),
                created_at: row.created_at,
                ended_at: row.ended_at,
            })
        })
        .collect()
}

/// Since when the desired release of a target is that, and whether people were reminded of its post-migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSince {
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Whether people were reminded.
    pub reminded: bool,
    /// The host that must run migrations, when one was named.
    pub host: Option<HostId>,
}

/// Reads it.
pub async fn live_since(conn: &mut PgConnection, target: TargetId) -> StoreResult<LiveSince> {
    let row = sqlx::query!(
        r#"SELECT desired_since, COALESCE(reminded_release_id = desired_release_id, false) AS "reminded!",
                  migration_host FROM target WHERE id = $1"#,
        target.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(LiveSince {
        since: row.desired_since,
        reminded: row.reminded,
        host: row
            .migration_host
            .map(|host| host.parse())
            .transpose()
            .map_err(|error| StoreError::inconsistent("target", target, error))?,
    })
}

/// People were reminded of the live release's post-migrations.
pub async fn note_reminded(conn: &mut PgConnection, target: TargetId) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE target SET reminded_release_id = desired_release_id WHERE id = $1",
        target.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
