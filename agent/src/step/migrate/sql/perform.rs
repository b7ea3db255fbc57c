//! Runs scripts, forward and back.

use std::borrow::Cow;
use std::time::Instant;

use pointsman_shared::migration::{MigrationName, Script};
use pointsman_shared::outcome::{Effect, Phase};

use super::ledger::{Row, Run};
use super::session::{Session, is_answer, script_failed};
use super::{SqlRunner, Trouble, judge, statements, trouble};
use crate::crash_point;
use crate::lease::Standing;
use crate::step::migrate::scripts::Text;
use crate::step::{Desk, Failure, StepError};

impl<D: Desk> SqlRunner<'_, D> {
    pub(super) async fn apply(
        &self,
        session: &mut Session,
        rows: &[Row],
        effect: &mut Effect,
    ) -> Result<(), Trouble> {
        let pending = judge::pending(&self.scripts.all, rows, &self.order.migrations)?;
        self.say("apply", format!("{} to apply", pending.len()));
        for script in pending {
            self.may_begin(*effect, &script.name)?;
            let text = self.scripts.read_up(script)?;
            let begun = Instant::now();
            if text.whole {
                self.apply_whole(session, script, &text).await?;
            } else {
                *effect = Effect::Done;
                self.apply_in_pieces(session, script, &text).await?;
            }
            *effect = Effect::Done;
            let took = begun.elapsed().as_millis();
            self.say(script.name.as_str(), format!("applied in {took} ms"));
            session
                .tidy()
                .await
                .map_err(trouble("tidy up after the script"))?;
        }
        Ok(())
    }

    async fn apply_whole(&self, session: &mut Session, script: &Script, text: &Text) -> Result<(), Trouble> {
        session.run("BEGIN").await.map_err(trouble("begin"))?;
        let begun = session.begin(self.run_of(), script).await;
        begun.map_err(trouble("write the ledger"))?;
        crash_point!(C19);
        run_whole(session, text).await?;
        let written = session.finish(self.order.phase, script.name.as_str()).await;
        written.map_err(trouble("write the ledger"))?;
        session.run("COMMIT").await.map_err(trouble("commit"))
    }

    async fn apply_in_pieces(
        &self,
        session: &mut Session,
        script: &Script,
        text: &Text,
    ) -> Result<(), Trouble> {
        let begun = session.begin(self.run_of(), script).await;
        begun.map_err(trouble("write the ledger"))?;
        crash_point!(C19);
        run_in_pieces(session, text).await?;
        let written = session.finish(self.order.phase, script.name.as_str()).await;
        written.map(drop).map_err(trouble("write the ledger"))
    }

    pub(super) async fn revert(
        &self,
        session: &mut Session,
        rows: &[Row],
        effect: &mut Effect,
    ) -> Result<(), Trouble> {
        let wanted = judge::only(&self.order.migrations)?;
        judge::revertible(rows, wanted)?;
        self.may_begin(*effect, &wanted.name)?;
        let name = wanted.name.as_str();
        let script = self.scripts.get(name);
        let text = script
            .map(|script| self.scripts.read_down(script))
            .transpose()?
            .flatten();
        let Some(text) = text else {
            let message = format!(
                "{name} has no way back: release {} has no {name}.down.sql",
                self.order.folder
            );
            return Err(judge::refuse("no_way_back", message).into());
        };
        let phase = self.order.phase;
        let wrote = || trouble("write the ledger");
        if text.whole {
            session.run("BEGIN").await.map_err(trouble("begin"))?;
            session.erase(phase, name).await.map_err(wrote())?;
            crash_point!(C19);
            run_whole(session, &text).await?;
            session.run("COMMIT").await.map_err(trouble("commit"))?;
        } else {
            *effect = Effect::Done;
            session.unfinish(phase, name).await.map_err(wrote())?;
            crash_point!(C19);
            run_in_pieces(session, &text).await?;
            session.erase(phase, name).await.map_err(wrote())?;
        }
        *effect = Effect::Done;
        self.say(name, "reverted".to_owned());
        Ok(())
    }

    const fn run_of(&self) -> Run {
        Run {
            phase: self.order.phase,
            job: self.job.body.job,
            epoch: self.job.epoch,
        }
    }

    /// A cancel is heard between two migrations. A lost lease only before the first: from then on somebody must go on.
    fn may_begin(&self, effect: Effect, next: &MigrationName) -> Result<(), StepError> {
        match (self.job.lease.standing(), effect) {
            (Standing::Held, _) | (Standing::Lost, Effect::Done | Effect::Unknown) => Ok(()),
            (Standing::Lost | Standing::Cancelled { .. }, Effect::None) => Err(StepError::Stopped),
            (Standing::Cancelled { reason }, Effect::Done | Effect::Unknown) => {
                let message = format!("cancelled before {next}: {reason}; what was applied stays");
                Err(Failure::new(Phase::Migrate, "cancelled", message).into())
            }
        }
    }
}

/// Runs a script in the open transaction, which it may not end.
async fn run_whole(session: &mut Session, text: &Text) -> Result<(), Trouble> {
    let before = transaction(session).await?;
    if let Err(error) = session.run(&text.sql).await {
        if !is_answer(&error) {
            return Err(trouble(&format!("run {}", text.file))(error));
        }
        session.run("ROLLBACK").await.map_err(trouble("roll back"))?;
        return Err(script_failed(&text.file, &text.sql, 1, &error).into());
    }
    if transaction(session).await? == before {
        return Ok(());
    }
    // Whatever transaction the script began itself.
    session.run("ROLLBACK").await.map_err(trouble("roll back"))?;
    let message = format!(
        "{} ends its own transaction; what it did until then may stay. Take COMMIT and ROLLBACK out of it, or mark it \
         `-- pointsman: no-transaction`",
        text.file
    );
    Err(judge::refuse("migration_ends_transaction", message).into())
}

async fn transaction(session: &mut Session) -> Result<Option<String>, Trouble> {
    sqlx::query_scalar("SELECT txid_current_if_assigned()::text")
        .fetch_one(&mut session.connection)
        .await
        .map_err(trouble("look at the transaction"))
}

/// Runs a script statement by statement. It may not leave a transaction open: what the ledger says after it would be
/// rolled back with it when the session ends.
async fn run_in_pieces(session: &mut Session, text: &Text) -> Result<(), Trouble> {
    for statement in statements::statements(&text.sql) {
        if let Err(error) = session.run(statement.sql).await {
            if !is_answer(&error) {
                return Err(trouble(&format!("run {}", text.file))(error));
            }
            // Whatever transaction the script began; outside one it is only a warning.
            session.run("ROLLBACK").await.map_err(trouble("roll back"))?;
            let mut failure = script_failed(&text.file, statement.sql, statement.line, &error);
            failure.message.push_str("; what came before it took effect");
            return Err(failure.into());
        }
    }
    if !is_in_transaction(session).await? {
        return Ok(());
    }
    session.run("ROLLBACK").await.map_err(trouble("roll back"))?;
    let message = format!(
        "{} begins a transaction and does not end it; what it did in it was rolled back and what came before took \
         effect. End it with COMMIT, or leave `-- pointsman: no-transaction` out",
        text.file
    );
    Err(judge::refuse("migration_leaves_transaction", message).into())
}

/// Whether a transaction is open that was begun by hand; only such a one takes a savepoint.
async fn is_in_transaction(session: &mut Session) -> Result<bool, Trouble> {
    let Err(error) = session.run("SAVEPOINT pointsman_probe").await else {
        return Ok(true);
    };
    let state = error
        .as_database_error()
        .and_then(|answer| answer.code().map(Cow::into_owned));
    match state.as_deref() {
        Some("25P01") => Ok(false),
        // It is open, and something in it failed.
        Some("25P02") => Ok(true),
        Some(_) | None => Err(trouble("look for an open transaction")(error)),
    }
}
