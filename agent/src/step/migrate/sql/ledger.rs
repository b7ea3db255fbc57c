//! The rows of a ledger, one per migration that was ever begun.

use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, JobId};
use pointsman_shared::migration::{MigrationName, MigrationPhase, MigrationState, Script};
use sqlx::AssertSqlSafe;

use super::session::Session;

/// A migration that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: MigrationName,
    pub(super) checksum: Option<Digest>,
    pub(super) state: MigrationState,
}

/// By whom a migration is applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) phase: MigrationPhase,
    pub(super) job: JobId,
    pub(super) epoch: Epoch,
}

impl Session {
    /// A phase of the ledger, by name.
    pub(super) async fn rows(&mut self, phase: MigrationPhase) -> Result<Vec<Row>, sqlx::Error> {
        let query = format!(
            "SELECT name, checksum, finished_at IS NOT NULL FROM {}.pointsman_migrations
             WHERE project = $1 AND phase = $2",
            self.schema
        );
        let rows: Vec<(String, Vec<u8>, bool)> = sqlx::query_as(AssertSqlSafe(query))
            .bind(self.project.as_str())
            .bind(phase.as_str())
            .fetch_all(&mut self.connection)
            .await?;
        let row = |(name, checksum, finished): (String, Vec<u8>, bool)| {
            let checksum = <[u8; 32]>::try_from(checksum).ok().map(Digest::from_bytes);
            let state = if finished {
                MigrationState::Applied
            } else {
                MigrationState::Indeterminate
            };
            // A name that is none of ours was written by somebody else, who will know.
            let name = name.parse().ok()?;
            Some(Row {
                name,
                checksum,
                state,
            })
        };
        let mut rows: Vec<_> = rows.into_iter().filter_map(row).collect();
        // Ours and not the database's order, which depends on its collation.
        rows.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        Ok(rows)
    }

    /// A migration begins.
    pub(super) async fn begin(&mut self, run: Run, script: &Script) -> Result<(), sqlx::Error> {
        let query = format!(
            "INSERT INTO {}.pointsman_migrations (project, phase, name, checksum, job, epoch, started_at)
             VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())",
            self.schema
        );
        sqlx::query(AssertSqlSafe(query))
            .bind(self.project.as_str())
            .bind(run.phase.as_str())
            .bind(script.name.as_str())
            .bind(script.checksum.as_bytes().as_slice())
            .bind(run.job.0)
            .bind(i32::try_from(run.epoch.0).unwrap_or(i32::MAX))
            .execute(&mut self.connection)
            .await
            .map(drop)
    }

    /// It is applied. False = its row is gone.
    pub(super) async fn finish(&mut self, phase: MigrationPhase, name: &str) -> Result<bool, sqlx::Error> {
        self.change("SET finished_at = clock_timestamp()", phase, name)
            .await
    }

    /// It is being taken back; until that is done nobody knows what is there.
    pub(super) async fn unfinish(&mut self, phase: MigrationPhase, name: &str) -> Result<bool, sqlx::Error> {
        self.change("SET finished_at = NULL", phase, name).await
    }

    async fn change(&mut self, set: &str, phase: MigrationPhase, name: &str) -> Result<bool, sqlx::Error> {
        let query = format!(
            "UPDATE {}.pointsman_migrations {set} WHERE project = $1 AND phase = $2 AND name = $3",
            self.schema
        );
        self.on_row(query, phase, name).await
    }

    /// It is not applied any more.
    pub(super) async fn erase(&mut self, phase: MigrationPhase, name: &str) -> Result<bool, sqlx::Error> {
        let query = format!(
            "DELETE FROM {}.pointsman_migrations WHERE project = $1 AND phase = $2 AND name = $3",
            self.schema
        );
        self.on_row(query, phase, name).await
    }

    async fn on_row(
        &mut self,
        query: String,
        phase: MigrationPhase,
        name: &str,
    ) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(AssertSqlSafe(query))
            .bind(self.project.as_str())
            .bind(phase.as_str())
            .bind(name)
            .execute(&mut self.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
