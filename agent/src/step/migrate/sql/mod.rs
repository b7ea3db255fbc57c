//! The built-in runner: SQL scripts against a project's own PostgreSQL.
//!
//! A script and its row in the ledger share one transaction, so either both are there or neither. A script marked
//! `-- pointsman: no-transaction` cannot have that: its row is committed before it begins, and stays unfinished, shown as
//! indeterminate, when its end is not seen.

mod judge;
mod ledger;
mod perform;
mod session;
mod statements;

use std::time::Duration;

use pointsman_shared::migration::{MigrationState, Script};
use pointsman_shared::outcome::{Effect, Phase};
use pointsman_shared::wire::from_agent::LedgerEntry;
use pointsman_shared::wire::job::{MigrateMode, MigrateOrder};
use pointsman_shared::wire::logs::LogSource;

use super::scripts::Scripts;
use crate::step::{Desk, Failure, Job, StepError};
use ledger::Row;
use session::{Session, Visitor, failed, is_answer};

/// How long a run waits for another one to end.
const RUN_PATIENCE: Duration = Duration::from_mins(1);
/// How long a look waits: it is repeated anyway.
const LOOK_PATIENCE: Duration = Duration::from_secs(5);

/// The runner with everything it needs.
#[derive(Debug)]
pub(super) struct SqlRunner<'a, D> {
    pub(super) job: &'a Job<D>,
    pub(super) order: &'a MigrateOrder,
    pub(super) scripts: &'a Scripts,
    /// Expanded.
    pub(super) url: String,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) result: Result<(), StepError>,
    pub(super) effect: Effect,
    /// The whole phase as the ledger has it now; none when it could not be read.
    pub(super) ledger: Option<Vec<LedgerEntry>>,
}

/// How work under the lock went wrong.
enum Trouble {
    /// In a way that the session survives.
    Step(StepError),
    /// The connection is gone.
    Lost(String),
}

impl From<StepError> for Trouble {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Step(failure.into())
    }
}

/// Tells a refusal of the server from a connection that is gone.
fn trouble(what: &str) -> impl FnOnce(sqlx::Error) -> Trouble {
    move |error| {
        let failure = failed(what, &error);
        if is_answer(&error) {
            failure.into()
        } else {
            Trouble::Lost(failure.message)
        }
    }
}

impl<D: Desk> SqlRunner<'_, D> {
    /// Does what the order says, and reads the ledger, whatever came of it.
    pub(super) async fn run(&self) -> Ran {
        let mut effect = Effect::None;
        let mut session = match self.open().await {
            Ok(session) => session,
            Err(error) => return Ran::without_ledger(error, effect),
        };
        let result = match self.work(&mut session, &mut effect).await {
            Ok(()) => Ok(()),
            Err(Trouble::Step(error)) => Err(error),
            Err(Trouble::Lost(why)) => {
                // Only the ledger knows what the lost connection still did.
                let Ok(again) = self.open().await else {
                    let failure = Failure::new(Phase::Migrate, "database_lost", why);
                    return Ran::without_ledger(failure.into(), Effect::Unknown);
                };
                session = again;
                let message = format!("{why}; the ledger was read again and says what was applied");
                Err(Failure::new(Phase::Migrate, "database_lost", message).into())
            }
        };
        if result.is_err()
            && let Err(error) = session.run("ROLLBACK").await
        {
            tracing::debug!(%error, "a session that is about to be read again did not roll back");
        }
        match self.read_again(session).await {
            Ok(rows) => {
                if rows.iter().any(|row| row.state == MigrationState::Indeterminate) && result.is_err() {
                    effect = Effect::Done;
                }
                Ran {
                    result,
                    effect,
                    ledger: Some(self.entries(&rows)),
                }
            }
            Err(error) => {
                // With neither a ledger nor a known effect, the coordinator looks again.
                if self.order.mode != MigrateMode::List {
                    effect = Effect::Unknown;
                }
                Ran::without_ledger(result.err().unwrap_or(error), effect)
            }
        }
    }

    /// Reads the ledger when all is done, and says goodbye. A script may have left a session that cannot read it any
    /// more, such as one in another role; a fresh one can.
    async fn read_again(&self, mut session: Session) -> Result<Vec<Row>, StepError> {
        let unread = |error: &sqlx::Error| StepError::from(failed("read the ledger", error));
        let rows = session.rows(self.order.phase).await;
        session.close().await;
        let error = match rows {
            Ok(rows) => return Ok(rows),
            Err(error) => unread(&error),
        };
        if self.order.mode == MigrateMode::List {
            return Err(error);
        }
        let Ok(mut fresh) = self.open().await else {
            return Err(error);
        };
        let rows = fresh.rows(self.order.phase).await;
        fresh.close().await;
        rows.map_err(|error| unread(&error))
    }

    async fn open(&self) -> Result<Session, StepError> {
        let visitor = Visitor {
            project: &self.job.body.project,
            number: self.job.body.number,
            patience: match self.order.mode {
                MigrateMode::Apply | MigrateMode::Revert => RUN_PATIENCE,
                MigrateMode::List | MigrateMode::MarkApplied | MigrateMode::MarkPending => LOOK_PATIENCE,
            },
        };
        Session::open(&self.url, visitor, &self.job.lease).await
    }

    async fn work(&self, session: &mut Session, effect: &mut Effect) -> Result<(), Trouble> {
        let rows = session
            .rows(self.order.phase)
            .await
            .map_err(trouble("read the ledger"))?;
        match self.order.mode {
            MigrateMode::Apply => self.apply(session, &rows, effect).await,
            MigrateMode::Revert => self.revert(session, &rows, effect).await,
            MigrateMode::List => Ok(()),
            MigrateMode::MarkApplied => {
                let row = judge::unfinished(&rows, judge::only(&self.order.migrations)?)?;
                let marked = session.finish(self.order.phase, row.name.as_str()).await;
                marked.map(drop).map_err(trouble("mark the migration"))
            }
            MigrateMode::MarkPending => {
                let row = judge::unfinished(&rows, judge::only(&self.order.migrations)?)?;
                let marked = session.erase(self.order.phase, row.name.as_str()).await;
                marked.map(drop).map_err(trouble("mark the migration"))
            }
        }
    }

    /// The release's own migrations and what was applied without it, by name.
    fn entries(&self, rows: &[Row]) -> Vec<LedgerEntry> {
        let row_of = |script: &Script| rows.iter().find(|row| row.name == script.name);
        let own = self.scripts.all.iter().map(|script| LedgerEntry {
            name: script.name.clone(),
            checksum: row_of(script).map_or(Some(script.checksum), |row| row.checksum),
            state: row_of(script).map_or(MigrationState::Pending, |row| row.state),
            own: true,
        });
        let others = rows
            .iter()
            .filter(|row| self.scripts.get(row.name.as_str()).is_none());
        let others = others.map(|row| LedgerEntry {
            name: row.name.clone(),
            checksum: row.checksum,
            state: row.state,
            own: false,
        });
        let mut all: Vec<_> = own.chain(others).collect();
        all.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        all
    }

    fn say(&self, stage: &str, text: String) {
        self.job.desk.say(stage, LogSource::Agent, text);
    }
}

impl Ran {
    const fn without_ledger(error: StepError, effect: Effect) -> Self {
        Self {
            result: Err(error),
            effect,
            ledger: None,
        }
    }
}
