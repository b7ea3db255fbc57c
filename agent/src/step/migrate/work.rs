//! The state of one migrate job, and its steps.

use std::path::PathBuf;

use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::outcome::{Effect, Phase, Product};
use pointsman_shared::wire::job::{MigrateOrder, MigrationRunner, Order};

use super::commands::CommandRunner;
use super::scripts::Scripts;
use super::sql::{Ran, SqlRunner};
use crate::executor::Work;
use crate::journal::RootRecord;
use crate::layout::Root;
use crate::plan::MigrateStep;
use crate::step::{Desk, Failure, Job, StepError, Values};

/// One migrate job.
#[derive(Debug)]
pub struct MigrateWork<'a, D> {
    job: &'a Job<D>,
    order: &'a MigrateOrder,
    checked: Option<Checked>,
    effect: Effect,
}

/// An installed release, looked at.
#[derive(Debug)]
struct Checked {
    release: PathBuf,
    scripts: Option<Scripts>,
    values: Values,
}

impl<'a, D: Desk> MigrateWork<'a, D> {
    /// Looks at the order only.
    pub fn new(job: &'a Job<D>) -> Result<Self, Failure> {
        let Order::Migrate(order) = &job.body.order else {
            let words = "the order is not about migrations";
            return Err(Failure::new(Phase::Refused, "wrong_kind", words));
        };
        if order.phase == MigrationPhase::Hard {
            let words = "this agent cannot run hard migrations; upgrade it";
            return Err(Failure::new(Phase::Refused, "phase_unknown", words));
        }
        Ok(Self {
            job,
            order,
            checked: None,
            effect: Effect::None,
        })
    }

    /// The root is not locked: a migration may take hours, and switches go on meanwhile. What keeps the release from
    /// being collected is the coordinator, which knows that its job is open.
    async fn check(&mut self) -> Result<(), StepError> {
        let record = RootRecord {
            placement: self.order.placement,
            root: self.order.root.clone(),
        };
        let roots = std::sync::Arc::clone(&self.job.host.roots);
        let (path, folder) = (self.order.root.clone(), self.order.folder.clone());
        let looked = tokio::task::spawn_blocking(move || {
            roots
                .record(&record)
                .map_err(|error| Failure::file(Phase::Migrate, &error))?;
            let root = Root::open(&path).map_err(|error| Failure::root(Phase::Migrate, &error))?;
            root.check_release(&folder)
                .and_then(|_| root.release_record(&folder))
                .map(|(manifest, _)| (root, manifest))
                .map_err(|error| Failure::release(Phase::Migrate, &error))
        });
        let (root, manifest) = looked
            .await
            .map_err(|error| Failure::of(Phase::Migrate, "internal", &error))??;
        let release = root.release_path(&self.order.folder);
        let scripts = match &self.order.runner {
            MigrationRunner::Sql { folder, .. } => Some(Scripts::of(&release, &manifest, folder)?),
            MigrationRunner::Commands { .. } => None,
        };
        let values = self
            .job
            .host_values(&root, &self.order.folder, &[])
            .map_err(|error| Failure::file(Phase::Migrate, &error))?;
        self.checked = Some(Checked {
            release,
            scripts,
            values,
        });
        Ok(())
    }

    async fn ledger(&mut self) -> Result<(), StepError> {
        let Some(checked) = &self.checked else {
            return Err(Failure::new(Phase::Migrate, "not_checked", "the release was not looked at").into());
        };
        let ran = match (&self.order.runner, &checked.scripts) {
            (MigrationRunner::Sql { database_url, .. }, Some(scripts)) => {
                let url = checked.values.expand(database_url);
                let url = url.map_err(|error| Failure::of(Phase::Migrate, "variable_missing", &error))?;
                let (job, order) = (self.job, self.order);
                SqlRunner {
                    job,
                    order,
                    scripts,
                    url,
                }
                .run()
                .await
            }
            (MigrationRunner::Commands { list, apply, revert }, _) => {
                CommandRunner {
                    job: self.job,
                    order: self.order,
                    list,
                    apply,
                    revert: revert.as_ref(),
                    release: &checked.release,
                    values: &checked.values,
                }
                .run()
                .await
            }
            (MigrationRunner::Sql { .. }, None) => {
                return Err(Failure::new(Phase::Migrate, "not_checked", "no script was read").into());
            }
        };
        let Ran {
            result,
            effect,
            ledger,
        } = ran;
        self.effect = effect;
        if let Some(entries) = ledger {
            self.job.desk.ledger(self.order.phase, entries);
        }
        result
    }
}

impl<D: Desk> Work for MigrateWork<'_, D> {
    type Step = MigrateStep;

    async fn perform(&mut self, step: &MigrateStep) -> Result<(), StepError> {
        match step {
            MigrateStep::Check => self.check().await,
            MigrateStep::Ledger { .. } => self.ledger().await,
        }
    }

    fn effect(&self) -> Effect {
        self.effect
    }

    fn is_done(&self) -> bool {
        false
    }

    async fn close(&mut self, _ok: bool) -> Result<(), StepError> {
        Ok(())
    }

    fn product(&self) -> Product {
        Product::Nothing
    }
}
