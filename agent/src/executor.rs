//! Runs a plan: asks the lease before every step, reports every step, and says how the job ended.
//!
//! One loop for all kinds. What a kind may still call off, and what it has already changed, its work says itself.

use std::fmt::Display;
use std::future::Future;
use std::time::Instant;

use pointsman_shared::outcome::{Effect, Outcome, Phase, Product};
use pointsman_shared::wire::logs::LogSource;
use tracing::Instrument as _;

use crate::lease::{Lease, Standing};
use crate::plan::{Plan, plan};
use crate::step::{
    BuildWork, CollectWork, Desk, Failure, InstallWork, Job, MigrateWork, StepError, SwitchWork, WorkshopWork,
};

/// The state of one job while its plan is run.
pub(crate) trait Work: Send {
    /// Its steps.
    type Step: Display + Sync;

    /// Does one step.
    fn perform(&mut self, step: &Self::Step) -> impl Future<Output = Result<(), StepError>> + Send;

    /// What has been changed so far. While it is `None` the job can still be called off.
    fn effect(&self) -> Effect;

    /// Whether everything is already as it should be, so that the remaining steps are left out.
    fn is_done(&self) -> bool;

    /// Puts things in order, however the steps ended. Runs once, always.
    fn close(&mut self, ok: bool) -> impl Future<Output = Result<(), StepError>> + Send;

    /// What was made.
    fn product(&self) -> Product;
}

/// How an epoch ended on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Execution {
    /// With an outcome to report.
    Ended(Outcome),
    /// The epoch stopped being ours. Nothing is reported: the coordinator grants another epoch when the lease is over,
    /// and a failure of this one, arriving in time, would end the job instead.
    LeaseLost {
        /// What had been changed by then.
        effect: Effect,
    },
}

/// Does a granted job to its end.
pub async fn execute<D: Desk>(job: &Job<D>) -> Execution {
    if let Err(refusal) = job.host.policy.check(&job.body) {
        return failed(
            Failure::new(Phase::Refused, "policy_refused", refusal.to_string()),
            Effect::None,
        );
    }
    match plan(&job.body.order) {
        Plan::Build(steps) => run(job, BuildWork::new(job), &steps).await,
        Plan::Install(steps) => run(job, InstallWork::new(job), &steps).await,
        Plan::Switch(steps) => run(job, SwitchWork::new(job), &steps).await,
        Plan::Migrate(steps) => run(job, MigrateWork::new(job), &steps).await,
        Plan::Collect(steps) => run(job, CollectWork::new(job), &steps).await,
        Plan::Workshop(steps) => run(job, WorkshopWork::new(job), &steps).await,
    }
}

async fn run<D: Desk, W: Work>(job: &Job<D>, work: Result<W, Failure>, steps: &[W::Step]) -> Execution {
    let mut work = match work {
        Ok(work) => work,
        Err(failure) => return failed(failure, Effect::None),
    };
    let performed = perform_all(job, &mut work, steps).await;
    let closed = work.close(performed.is_ok()).await;
    match performed.and(closed) {
        Ok(()) => Execution::Ended(Outcome::Succeeded {
            product: work.product(),
        }),
        Err(StepError::Failed(failure)) => failed(failure, work.effect()),
        Err(StepError::Stopped) => stopped(&job.lease, work.effect()),
    }
}

async fn perform_all<D: Desk, W: Work>(
    job: &Job<D>,
    work: &mut W,
    steps: &[W::Step],
) -> Result<(), StepError> {
    for (ordinal, step) in (0..).zip(steps) {
        if work.is_done() {
            return Ok(());
        }
        if must_stop(&job.lease, work.effect()) {
            return Err(StepError::Stopped);
        }
        let name = step.to_string();
        let begun = Instant::now();
        job.desk.started(ordinal, &name);
        let performed = work.perform(step).instrument(job.desk.span(ordinal, &name)).await;
        job.desk
            .finished(ordinal, &name, begun.elapsed(), performed.is_ok());
        if let Err(error) = performed {
            if let StepError::Failed(failure) = &error {
                job.desk.say(&name, LogSource::Agent, failure.message.clone());
            }
            return Err(error);
        }
    }
    Ok(())
}

/// A cancel comes too late once something was changed; a lost lease never does.
fn must_stop(lease: &Lease, effect: Effect) -> bool {
    match (lease.standing(), effect) {
        (Standing::Held, _) | (Standing::Cancelled { .. }, Effect::Done | Effect::Unknown) => false,
        (Standing::Lost, _) | (Standing::Cancelled { .. }, Effect::None) => true,
    }
}

fn stopped(lease: &Lease, effect: Effect) -> Execution {
    match (lease.standing(), effect) {
        (Standing::Cancelled { .. }, Effect::None) => Execution::Ended(Outcome::Cancelled),
        (Standing::Cancelled { .. } | Standing::Held | Standing::Lost, effect) => {
            Execution::LeaseLost { effect }
        }
    }
}

fn failed(failure: Failure, effect: Effect) -> Execution {
    let Failure {
        phase,
        code,
        message,
        exit,
    } = failure;
    Execution::Ended(Outcome::Failed {
        phase,
        code: code.to_owned(),
        message,
        exit,
        effect,
    })
}
