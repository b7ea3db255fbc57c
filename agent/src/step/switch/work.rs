//! The state of one switch, and its steps.
//!
//! The root's lock is held from the first look at the fence until the after-hooks are done, so that two decisions never
//! mix; it is free again while health is awaited. However the steps end, the fence is told when the decision has run
//! to its end; an agent that dies before that reports an interrupted switch when it comes back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::outcome::{Effect, Phase, Product};
use pointsman_shared::recipe::Probe;
use pointsman_shared::wire::job::{Order, SwitchOrder};
use pointsman_shared::wire::logs::LogSource;

use super::health::Health;
use super::link;
use crate::executor::Work;
use crate::journal::RootRecord;
use crate::layout::{Claimed, Root, RootLock};
use crate::lease::Lease;
use crate::plan::{HookTime, SwitchStep};
use crate::process::{Command, Limits};
use crate::step::{Desk, Failure, Job, StepError, Values, command, hook};

/// How long a switch waits for an install's final rename or another writer.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);
/// Time for a hook whose recipe names none.
const HOOK_TIME: Duration = Duration::from_mins(5);

/// One switch.
pub struct SwitchWork<'a, D> {
    job: &'a Job<D>,
    order: &'a SwitchOrder,
    claimed: Claimed,
    root: Option<Arc<Root>>,
    lock: Option<RootLock>,
    values: Values,
    from: Option<ReleaseFolder>,
    effect: Effect,
}

impl<D> std::fmt::Debug for SwitchWork<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SwitchWork")
            .field("order", self.order)
            .finish_non_exhaustive()
    }
}

impl<'a, D: Desk> SwitchWork<'a, D> {
    /// Looks at the order only.
    pub fn new(job: &'a Job<D>) -> Result<Self, Failure> {
        let (Order::Activate(order) | Order::Rollback(order)) = &job.body.order else {
            return Err(Failure::new(
                Phase::Refused,
                "wrong_kind",
                "the order is not a switch",
            ));
        };
        let claimed = Claimed {
            generation: order.generation,
            job: job.body.job,
            epoch: job.epoch,
        };
        Ok(Self {
            job,
            order,
            claimed,
            root: None,
            lock: None,
            values: Values::default(),
            from: None,
            effect: Effect::None,
        })
    }

    /// Takes the lock and asks the fence, before any hook runs for a decision that is not to be.
    async fn check(&mut self) -> Result<(), StepError> {
        let record = RootRecord {
            placement: self.order.placement,
            root: self.order.root.clone(),
        };
        let (roots, path) = (Arc::clone(&self.job.host.roots), self.order.root.clone());
        let opened = blocking(move || {
            roots
                .record(&record)
                .map_err(|error| Failure::file(Phase::Switch, &error))?;
            Root::open(&path).map_err(|error| Failure::root(Phase::Switch, &error))
        });
        let root = Arc::new(opened.await??);
        let lock = tokio::select! {
            lock = RootLock::take(&root, LOCK_PATIENCE) => lock,
            _ = self.job.lease.ended() => return Err(StepError::Stopped),
        };
        let lock = lock.map_err(|error| Failure::lock(Phase::Switch, &error))?;
        lock.may_pass(self.order.placement, &self.order.slot, self.claimed)
            .map_err(|error| Failure::fence(&error))?;
        let (checked, folder, digest) = (Arc::clone(&root), self.order.folder.clone(), self.order.manifest);
        blocking(move || checked.require_release(&folder, &digest))
            .await?
            .map_err(|error| Failure::release(Phase::Switch, &error))?;
        let ours = [
            ("POINTSMAN_RELEASE_LABEL", self.order.label.to_string()),
            ("POINTSMAN_COMMIT", self.order.commit.to_string()),
            ("POINTSMAN_SLOT", self.order.slot.to_string()),
        ];
        self.values = self
            .job
            .host_values(&root, &self.order.folder, &ours)
            .map_err(|error| Failure::file(Phase::Switch, &error))?;
        self.lock = Some(lock);
        self.root = Some(root);
        // A way back is taken though its commands may be refused by now: the release left behind is worse.
        match (self.vet(), &self.job.body.order) {
            (Err(StepError::Failed(failure)), Order::Rollback(_)) => {
                let words = format!("it will be live, and then this fails: {}", failure.message);
                self.job.desk.say("check", LogSource::Agent, words);
                Ok(())
            }
            (vetted, _) => vetted,
        }
    }

    /// What runs after the switch is judged before it: a command that this host does not allow, or a variable that
    /// nobody set, must not be found out with the release live.
    fn vet(&self) -> Result<(), StepError> {
        for argv in &self.order.hooks.after {
            self.argv(Phase::AfterHook, argv)?;
        }
        match self.order.health.as_ref().map(|check| &check.probe) {
            Some(Probe::Command { argv }) => self.argv(Phase::Health, argv).map(drop),
            Some(Probe::Http { url }) => self
                .values
                .expand(url)
                .map(drop)
                .map_err(|error| Failure::of(Phase::Health, "variable_missing", &error).into()),
            None => Ok(()),
        }
    }

    /// A command as it will run, if this host lets it.
    fn argv(&self, phase: Phase, argv: &[String]) -> Result<Vec<String>, StepError> {
        let argv = self
            .values
            .expand_argv(argv)
            .map_err(|error| Failure::of(phase, "variable_missing", &error))?;
        hook::resolve(&self.job.host.policy, &self.release()?, &argv)
            .map_err(|refusal| Failure::new(phase, "hook_refused", refusal.to_string()).into())
    }

    async fn hook(&self, stage: &str, time: HookTime, argv: &[String]) -> Result<(), StepError> {
        let phase = match time {
            HookTime::Before => Phase::BeforeHook,
            HookTime::After => Phase::AfterHook,
        };
        let release = self.release()?;
        let argv = self.argv(phase, argv)?;
        let command = Command {
            argv,
            env: self.values.environment(),
            cwd: release,
        };
        let total = match self.order.hooks.timeout_s {
            0 => HOOK_TIME,
            seconds => Duration::from_secs(seconds),
        };
        let limits = Limits::new(total, None);
        let ended = command::run(self.job, &self.lease(), stage, &command, &limits).await;
        command::judge(phase, &command.argv.join(" "), &limits, ended)
    }

    async fn switch(&mut self) -> Result<(), StepError> {
        let Some(lock) = self.lock.take() else {
            return Err(not_checked());
        };
        let (lease, order, claimed) = (self.job.lease.clone(), self.order.clone(), self.claimed);
        let (lock, switched) = blocking(move || {
            let switched = link::switch(&lock, &lease, &order, claimed);
            (lock, switched)
        })
        .await?;
        self.lock = Some(lock);
        match switched {
            Ok(from) => {
                self.from = from;
                self.effect = Effect::Done;
                Ok(())
            }
            Err(unswitched) => {
                self.effect = unswitched.effect;
                Err(unswitched.error)
            }
        }
    }

    async fn health(&mut self, check: &pointsman_shared::recipe::HealthCheck) -> Result<(), StepError> {
        self.lock = None;
        let (release, lease) = (self.release()?, self.lease());
        let (job, order, values) = (self.job, self.order, &self.values);
        Health {
            job,
            order,
            check,
            values,
            release: &release,
            lease: &lease,
        }
        .wait()
        .await
    }

    fn release(&self) -> Result<PathBuf, StepError> {
        self.root
            .as_ref()
            .map(|root| root.release_path(&self.order.folder))
            .ok_or_else(not_checked)
    }

    /// After the switch a cancel comes too late: the release is live and its hooks are still owed to it.
    fn lease(&self) -> Lease {
        match self.effect {
            Effect::None => self.job.lease.clone(),
            Effect::Done | Effect::Unknown => self.job.lease.past_no_return(),
        }
    }
}

fn not_checked() -> StepError {
    Failure::new(Phase::Switch, "not_checked", "the root was not opened").into()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StepError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::of(Phase::Switch, "internal", &error).into())
}

impl<D: Desk> Work for SwitchWork<'_, D> {
    type Step = SwitchStep;

    async fn perform(&mut self, step: &SwitchStep) -> Result<(), StepError> {
        match step {
            SwitchStep::Check => self.check().await,
            SwitchStep::Hook { time, argv } => self.hook(&step.to_string(), *time, argv).await,
            SwitchStep::Switch => self.switch().await,
            SwitchStep::Health(check) => self.health(check).await,
        }
    }

    fn effect(&self) -> Effect {
        self.effect
    }

    fn is_done(&self) -> bool {
        false
    }

    /// The decision has run to its end, well or not: the fence says so. A link in an unknown state stays marked.
    async fn close(&mut self, _ok: bool) -> Result<(), StepError> {
        let lock = self.lock.take();
        let (Effect::Done, Some(root)) = (self.effect, &self.root) else {
            return Ok(());
        };
        let lock = match lock {
            Some(lock) => lock,
            None => RootLock::take(root, LOCK_PATIENCE)
                .await
                .map_err(|e| Failure::lock(Phase::Switch, &e))?,
        };
        let (placement, slot, claimed) = (self.order.placement, self.order.slot.clone(), self.claimed);
        let settled = blocking(move || {
            lock.settle(placement, &slot, claimed)
                .map_err(|error| Failure::fence(&error))?;
            lock.end_progress()
                .map_err(|error| Failure::file(Phase::Switch, &error))
        });
        Ok(settled.await??)
    }

    fn product(&self) -> Product {
        Product::Switched {
            from: self.from.clone(),
            current: self.order.folder.clone(),
        }
    }
}
