//! One connection to a project's database, alone with its ledger: it holds the ledger's lock, a session lock of
//! PostgreSQL, so that the lock is gone exactly when the connection is.

use std::str::FromStr as _;
use std::time::Duration;

use pointsman_shared::digest::Digest;
use pointsman_shared::name::ProjectName;
use pointsman_shared::outcome::Phase;
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgErrorPosition};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

use crate::lease::Lease;
use crate::step::{Failure, StepError};

/// How long a database may take to answer a connection.
const CONNECT: Duration = Duration::from_secs(15);
/// Between two tries to get the lock.
const PAUSE: Duration = Duration::from_millis(250);

/// Both tables stand in the schema that is current when they are first needed.
const TABLES: &str = "CREATE TABLE IF NOT EXISTS {schema}.pointsman_migrations (
    project text NOT NULL,
    phase text NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    job uuid NOT NULL,
    epoch integer NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (project, phase, name)
);
COMMENT ON COLUMN {schema}.pointsman_migrations.finished_at IS 'null: begun, and nobody saw its end';
CREATE TABLE IF NOT EXISTS {schema}.pointsman_migration_fence (
    project text PRIMARY KEY,
    job_number bigint NOT NULL
);";

/// A locked ledger.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: PgConnection,
    /// The schema of the ledger, quoted; scripts may change the search path.
    pub(super) schema: String,
    pub(super) project: ProjectName,
}

/// Whose session it is, and how long it waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor<'a> {
    pub(super) project: &'a ProjectName,
    /// Number of the job; the ledger refuses a lower one than it has seen.
    pub(super) number: i64,
    /// How long another visitor is waited for.
    pub(super) patience: Duration,
}

impl Session {
    /// Connects, waits for the lock, and takes the ledger for this job.
    pub(super) async fn open(url: &str, visitor: Visitor<'_>, lease: &Lease) -> Result<Self, StepError> {
        let mut connection = connect(url).await?;
        lock(&mut connection, visitor, lease).await?;
        let schema: Option<String> = sqlx::query_scalar("SELECT quote_ident(current_schema())")
            .fetch_one(&mut connection)
            .await
            .map_err(|error| failed("find the schema", &error))?;
        let schema = schema.ok_or_else(|| {
            let message = "the search path of the database's user names no schema that exists; set one";
            Failure::new(Phase::Migrate, "no_schema", message)
        })?;
        let mut session = Self {
            connection,
            schema,
            project: visitor.project.clone(),
        };
        session
            .run(&TABLES.replace("{schema}", &session.schema))
            .await
            .map_err(|error| failed("make the ledger", &error))?;
        session.enter(visitor.number).await?;
        Ok(session)
    }

    /// A job that was overtaken, such as one of an agent that was stopped for an hour, may not touch anything any more.
    async fn enter(&mut self, number: i64) -> Result<(), Failure> {
        let fence = format!("{}.pointsman_migration_fence", self.schema);
        let query = format!(
            "INSERT INTO {fence} AS fence (project, job_number) VALUES ($1, $2)
             ON CONFLICT (project) DO UPDATE SET job_number = GREATEST(fence.job_number, $2) RETURNING job_number"
        );
        let newest: i64 = sqlx::query_scalar(AssertSqlSafe(query))
            .bind(self.project.as_str())
            .bind(number)
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| failed("enter the ledger", &error))?;
        if newest == number {
            return Ok(());
        }
        let message =
            format!("job #{newest} was at this ledger since; job #{number} is over and did nothing");
        Err(Failure::new(Phase::Migrate, "overtaken", message))
    }

    /// Sends text as it is.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut self.connection)
            .await
            .map(drop)
    }

    /// What a script left behind in the session ends with it; the lock stays.
    pub(super) async fn tidy(&mut self) -> Result<(), sqlx::Error> {
        for sql in [
            "RESET SESSION AUTHORIZATION",
            "RESET ROLE",
            "RESET ALL",
            "CLOSE ALL",
            "DISCARD TEMP",
        ] {
            self.run(sql).await?;
        }
        Ok(())
    }

    /// Says goodbye; the lock is free afterwards.
    pub(super) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "a project's database did not say goodbye");
        }
    }
}

async fn connect(url: &str) -> Result<PgConnection, Failure> {
    let options = PgConnectOptions::from_str(url).map_err(|error| {
        let message = format!("database_url is no address of a PostgreSQL database: {error}");
        Failure::new(Phase::Migrate, "database_url_invalid", message)
    })?;
    // A slow statement would be logged with its text, which may hold anything.
    let options = options
        .application_name("pointsman migrations")
        .disable_statement_logging();
    let unreachable = |why: String| {
        let message = format!("the project's database cannot be reached from this host: {why}");
        Failure::new(Phase::Migrate, "database_unreachable", message)
    };
    match tokio::time::timeout(CONNECT, PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(unreachable(crate::describe::describe(&error))),
        Err(_) => Err(unreachable(format!("no answer within {CONNECT:?}"))),
    }
}

async fn lock(connection: &mut PgConnection, visitor: Visitor<'_>, lease: &Lease) -> Result<(), StepError> {
    let key = key_of(visitor.project);
    let deadline = tokio::time::Instant::now() + visitor.patience;
    loop {
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(key)
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| failed("lock the ledger", &error))?;
        if taken {
            return Ok(());
        }
        if tokio::time::Instant::now() >= deadline {
            let message = "another connection works on this project's migrations and holds the ledger's lock";
            return Err(Failure::new(Phase::Migrate, "still_running", message).into());
        }
        tokio::select! {
            _ = lease.ended() => return Err(StepError::Stopped),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// One lock per project in a database; the first half of a digest, so that a project's own locks are never met.
fn key_of(project: &ProjectName) -> i64 {
    let digest = Digest::of(format!("pointsman migrations of {project}").as_bytes());
    let mut key = [0; 8];
    key.copy_from_slice(&digest.as_bytes()[..8]);
    i64::from_be_bytes(key)
}

/// Whether the server said it; anything else means that the connection is gone.
pub(super) const fn is_answer(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(_))
}

/// A failed statement of ours.
pub(super) fn failed(what: &str, error: &sqlx::Error) -> Failure {
    let code = if is_answer(error) {
        "database_error"
    } else {
        "database_lost"
    };
    Failure::new(
        Phase::Migrate,
        code,
        format!("could not {what}: {}", crate::describe::describe(error)),
    )
}

/// A failed statement of a script; `first` is the line its text begins on, from 1.
pub(super) fn script_failed(file: &str, sql: &str, first: usize, error: &sqlx::Error) -> Failure {
    let sqlx::Error::Database(answer) = error else {
        return failed(&format!("run {file}"), error);
    };
    let Some(answer) = answer.try_downcast_ref::<PgDatabaseError>() else {
        return failed(&format!("run {file}"), error);
    };
    let line = match answer.position() {
        Some(PgErrorPosition::Original(at)) => {
            let before: String = sql.chars().take(at.saturating_sub(1)).collect();
            format!(", line {}", first + before.matches('\n').count())
        }
        Some(PgErrorPosition::Internal { .. }) | None => String::new(),
    };
    let (text, state) = (answer.message(), answer.code());
    let mut message = format!("{file}{line}: {text} (SQLSTATE {state})");
    for more in [answer.detail(), answer.hint()].into_iter().flatten() {
        message.push_str("; ");
        message.push_str(more);
    }
    Failure::new(Phase::Migrate, "migration_failed", message)
}
