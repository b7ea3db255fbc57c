//! The project's own tool: argv arrays of the recipe, run in the release's folder like hooks and under the same policy.
//!
//! `list` prints `applied<TAB>name` or `pending<TAB>name`, in the order in which they are applied, and knows best; other
//! lines are only logged. Names are handed on one at a time, as the last argument. Every child lives in the job's own
//! process group: it ends with the agent, and a placement whose child would not end stays closed.

use std::time::{Duration, Instant};

use pointsman_shared::digest::Digest;
use pointsman_shared::migration::{MigrationName, MigrationState};
use pointsman_shared::outcome::{Effect, Phase};
use pointsman_shared::recipe::Argv;
use pointsman_shared::wire::from_agent::LedgerEntry;
use pointsman_shared::wire::job::{MigrateMode, MigrateOrder};
use pointsman_shared::wire::logs::LogSource;

use super::sql::Ran;
use crate::crash_point;
use crate::lease::{Lease, Standing};
use crate::process::{Command, Limits, Line};
use crate::step::{Desk, Failure, Job, StepError, Values, command, hook};

/// Longest time for one command; migrations may be long, and nobody ends them for a lost lease.
const TIME: Duration = Duration::from_hours(24);
/// The stage of a listing.
const LIST: &str = "list";

/// The runner with everything it needs.
#[derive(Debug)]
pub(super) struct CommandRunner<'a, D> {
    pub(super) job: &'a Job<D>,
    pub(super) order: &'a MigrateOrder,
    pub(super) list: &'a Argv,
    pub(super) apply: &'a Argv,
    pub(super) revert: Option<&'a Argv>,
    pub(super) release: &'a std::path::Path,
    pub(super) values: &'a Values,
}

/// A migration as the tool lists it.
type Listed = (MigrationName, MigrationState);

impl<D: Desk> CommandRunner<'_, D> {
    /// Does what the order says, and lists again, whatever came of it.
    pub(super) async fn run(&self) -> Ran {
        let mut effect = Effect::None;
        let result = match self.listing().await {
            Ok(listed) => self.work(&listed, &mut effect).await,
            Err(error) => Err(error),
        };
        if effect == Effect::None && result.is_err() {
            return Ran {
                result,
                effect,
                ledger: None,
            };
        }
        match self.listing().await {
            Ok(listed) => Ran {
                result: result.and_then(|()| self.confirm(&listed)),
                effect,
                ledger: Some(entries(listed)),
            },
            Err(error) => Ran {
                result: result.and(Err(error)),
                // Only the list could have told what the tool did.
                effect: match effect {
                    Effect::None => Effect::None,
                    Effect::Done | Effect::Unknown => Effect::Unknown,
                },
                ledger: None,
            },
        }
    }

    async fn work(&self, listed: &[Listed], effect: &mut Effect) -> Result<(), StepError> {
        match self.order.mode {
            MigrateMode::List => Ok(()),
            MigrateMode::Apply => {
                for (name, state) in listed {
                    if *state == MigrationState::Pending && self.is_wanted(name) {
                        self.may_begin(*effect, name)?;
                        *effect = Effect::Done;
                        crash_point!(C19);
                        let begun = Instant::now();
                        self.command(self.apply, Some(name), name.as_str()).await?;
                        let took = format!("applied in {} ms", begun.elapsed().as_millis());
                        self.job.desk.say(name.as_str(), LogSource::Agent, took);
                    }
                }
                Ok(())
            }
            MigrateMode::Revert => {
                let [one] = self.order.migrations.as_slice() else {
                    return Err(refuse("not_one", "the order must name exactly one migration").into());
                };
                let Some(revert) = self.revert else {
                    let words = "the recipe has no `revert` for these migrations";
                    return Err(refuse("no_way_back", words).into());
                };
                if !listed.contains(&(one.name.clone(), MigrationState::Applied)) {
                    let message = format!("{} is not applied here", one.name);
                    return Err(refuse("not_applied", &message).into());
                }
                self.may_begin(*effect, &one.name)?;
                *effect = Effect::Done;
                crash_point!(C19);
                self.command(revert, Some(&one.name), one.name.as_str())
                    .await
                    .map(drop)
            }
            MigrateMode::MarkApplied | MigrateMode::MarkPending => {
                let words = "the project's own tool keeps the record of these migrations; correct it there, then list";
                Err(refuse("not_ours", words).into())
            }
        }
    }

    fn is_wanted(&self, name: &MigrationName) -> bool {
        let wanted = &self.order.migrations;
        wanted.is_empty() || wanted.iter().any(|one| one.name == *name)
    }

    /// A tool that says it did it and lists otherwise is not believed.
    fn confirm(&self, listed: &[Listed]) -> Result<(), StepError> {
        let expected = match self.order.mode {
            MigrateMode::Apply => MigrationState::Applied,
            MigrateMode::Revert => MigrationState::Pending,
            MigrateMode::List | MigrateMode::MarkApplied | MigrateMode::MarkPending => return Ok(()),
        };
        let about = |name: &MigrationName| match self.order.mode {
            MigrateMode::Revert => !self.order.migrations.is_empty() && self.is_wanted(name),
            MigrateMode::Apply | MigrateMode::List | MigrateMode::MarkApplied | MigrateMode::MarkPending => {
                self.is_wanted(name)
            }
        };
        match listed
            .iter()
            .find(|(name, state)| about(name) && *state != expected)
        {
            None => Ok(()),
            Some((name, state)) => {
                let message = format!(
                    "the command for {name} ended well, and the project's list still says {}",
                    state.as_str()
                );
                Err(refuse("migration_unconfirmed", &message).into())
            }
        }
    }

    fn may_begin(&self, effect: Effect, next: &MigrationName) -> Result<(), StepError> {
        match (self.job.lease.standing(), effect) {
            (Standing::Held, _) | (Standing::Lost, Effect::Done | Effect::Unknown) => Ok(()),
            (Standing::Lost | Standing::Cancelled { .. }, Effect::None) => Err(StepError::Stopped),
            (Standing::Cancelled { reason }, Effect::Done | Effect::Unknown) => {
                let message = format!("cancelled before {next}: {reason}; what was applied stays");
                Err(refuse("cancelled", &message).into())
            }
        }
    }

    async fn listing(&self) -> Result<Vec<Listed>, StepError> {
        let lines = self.command(self.list, None, LIST).await?;
        let mut listed: Vec<Listed> = Vec::new();
        for line in lines {
            let Some((word, name)) = line.split_once('\t') else {
                continue;
            };
            let state = match word {
                "applied" => MigrationState::Applied,
                "pending" => MigrationState::Pending,
                _ => continue,
            };
            let name: MigrationName = name
                .trim_end()
                .parse()
                .map_err(|error| Failure::of(Phase::Migrate, "listing_unreadable", &error))?;
            if listed.iter().any(|(other, _)| *other == name) {
                let message = format!("the project's list names {name} twice");
                return Err(refuse("listing_unreadable", &message).into());
            }
            listed.push((name, state));
        }
        Ok(listed)
    }

    /// Runs one command; returns what it printed on its standard output. What went wrong is told in the recipe's own
    /// words: a variable may stand for a password.
    async fn command(
        &self,
        told: &[String],
        name: Option<&MigrationName>,
        stage: &str,
    ) -> Result<Vec<String>, StepError> {
        let mut argv = self
            .values
            .expand_argv(told)
            .map_err(|error| Failure::of(Phase::Migrate, "variable_missing", &error))?;
        // Judged by the host without the name: a policy cannot list what does not exist yet.
        argv = hook::resolve(&self.job.host.policy, self.release, &argv).map_err(|_| {
            refuse(
                "hook_refused",
                &self.job.host.policy.refuse_hook(told).to_string(),
            )
        })?;
        argv.extend(name.map(ToString::to_string));
        let command = Command {
            argv,
            env: self.values.environment(),
            cwd: self.release.to_owned(),
        };
        let limits = Limits::new(TIME, None);
        let (desk, mut printed) = (&self.job.desk, Vec::new());
        let mut sink = |line: Line| match line {
            Line::Text { source, text } => {
                if source == LogSource::Out {
                    printed.push(text.clone());
                }
                desk.say(stage, source, text);
            }
            Line::Gap { lines, bytes } => {
                let reason = "more output than is kept of one command".to_owned();
                desk.leave_out(stage, lines, bytes, reason);
            }
        };
        let ended = self
            .job
            .processes
            .run(&command, &limits, &self.lease(name), &mut sink)
            .await;
        let mut what = told.join(" ");
        if let Some(name) = name {
            what.push(' ');
            what.push_str(name.as_str());
        }
        command::judge(Phase::Migrate, &what, &limits, ended)?;
        Ok(printed)
    }

    /// What changes the database is ended by nobody but itself and its time.
    fn lease(&self, name: Option<&MigrationName>) -> Lease {
        match name {
            None => self.job.lease.clone(),
            Some(_) => self.job.lease.unending(),
        }
    }
}

fn entries(listed: Vec<Listed>) -> Vec<LedgerEntry> {
    let entry = |(name, state): Listed| LedgerEntry {
        checksum: None::<Digest>,
        name,
        state,
        own: true,
    };
    listed.into_iter().map(entry).collect()
}

fn refuse(code: &'static str, message: &str) -> Failure {
    Failure::new(Phase::Migrate, code, message)
}
