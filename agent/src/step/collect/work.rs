//! The state of one collection, and its steps. The root's lock is held from the look to the last rename.

use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::outcome::{Effect, KeptFolder, Phase, Product, TrashedFolder};
use pointsman_shared::wire::job::{CollectOrder, Order};
use pointsman_shared::wire::logs::LogSource;

use super::users::reason_to_keep;
use crate::describe::describe;
use crate::dir::FileError;
use crate::executor::Work;
use crate::journal::RootRecord;
use crate::layout::{Fence, Root, RootLock};
use crate::lease::Standing;
use crate::plan::CollectStep;
use crate::step::{Desk, Failure, Job, StepError};

/// How long a collection waits for whoever holds the root.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);
/// How long a release lies in the trash before it is deleted, in seconds.
const TRASH_S: i64 = 24 * 3600;
/// Folders that are named in a result; the coordinator orders no more at once.
const NAMED: usize = 100;

/// One collection.
#[derive(Debug)]
pub struct CollectWork<'a, D> {
    job: &'a Job<D>,
    order: &'a CollectOrder,
    held: Option<Held>,
    trashed: Vec<TrashedFolder>,
    kept: Vec<KeptFolder>,
    purged: u64,
    purged_bytes: u64,
    effect: Effect,
}

/// The locked root.
#[derive(Debug)]
struct Held {
    lock: Arc<RootLock>,
    fence: Fence,
}

impl<'a, D: Desk> CollectWork<'a, D> {
    /// Looks at the order only.
    pub fn new(job: &'a Job<D>) -> Result<Self, Failure> {
        let Order::CollectGarbage(order) = &job.body.order else {
            let words = "the order is not to collect garbage";
            return Err(Failure::new(Phase::Refused, "wrong_kind", words));
        };
        Ok(Self {
            job,
            order,
            held: None,
            trashed: Vec::new(),
            kept: Vec::new(),
            purged: 0,
            purged_bytes: 0,
            effect: Effect::None,
        })
    }

    /// The fence must say exactly what it said when this was decided: any switch since then makes the decision old.
    async fn check(&mut self) -> Result<(), StepError> {
        let record = RootRecord {
            placement: self.order.placement,
            root: self.order.root.clone(),
        };
        let (roots, path) = (Arc::clone(&self.job.host.roots), self.order.root.clone());
        let opened = blocking(move || {
            roots
                .record(&record)
                .map_err(|error| Failure::file(Phase::Collect, &error))?;
            Root::open(&path).map_err(|error| Failure::root(Phase::Collect, &error))
        });
        let root = Arc::new(opened.await??);
        let lock = tokio::select! {
            lock = RootLock::take(&root, LOCK_PATIENCE) => lock,
            _ = self.job.lease.ended() => return Err(StepError::Stopped),
        };
        let lock = lock.map_err(|error| Failure::lock(Phase::Collect, &error))?;
        let fence = root
            .require_adopted(self.order.placement)
            .map_err(|error| Failure::fence(&error))?;
        let decided = |slot: &_| self.order.fences.iter().find(|decided| decided.slot == *slot);
        for (slot, record) in &fence.slots {
            if decided(slot).is_none_or(|decided| decided.generation != record.generation) {
                let message = format!(
                    "the fence of {slot} is at {}, not where it was when this was decided; nothing was touched",
                    record.generation
                );
                return Err(Failure::new(Phase::Refused, "fence_moved", message).into());
            }
        }
        self.held = Some(Held {
            lock: Arc::new(lock),
            fence,
        });
        Ok(())
    }

    async fn discard(&mut self) -> Result<(), StepError> {
        for folder in self.order.folders.iter().take(NAMED) {
            if self.job.lease.standing() != Standing::Held {
                return self.stopped();
            }
            let done = self.discard_one(folder).await?;
            match done {
                Discard::Gone => self.say("discard", format!("{folder} is not here")),
                Discard::Kept(reason) => {
                    self.say("discard", format!("{folder} stays: {reason}"));
                    self.kept.push(KeptFolder {
                        folder: folder.clone(),
                        reason,
                    });
                }
                Discard::Trashed(bytes) => {
                    self.effect = Effect::Done;
                    self.say("discard", format!("{folder} is set aside, {bytes} bytes"));
                    self.trashed.push(TrashedFolder {
                        folder: folder.clone(),
                        bytes,
                    });
                }
            }
        }
        Ok(())
    }

    /// What was set aside stays set aside; the rest is for another time.
    fn stopped(&self) -> Result<(), StepError> {
        match self.job.lease.standing() {
            Standing::Cancelled { .. } if self.effect == Effect::Done => Ok(()),
            Standing::Cancelled { .. } | Standing::Lost | Standing::Held => Err(StepError::Stopped),
        }
    }

    async fn discard_one(&self, folder: &ReleaseFolder) -> Result<Discard, StepError> {
        let held = self.held.as_ref().ok_or_else(not_checked)?;
        let (lock, fence, folder) = (Arc::clone(&held.lock), held.fence.clone(), folder.clone());
        let now = self.job.host.clock.now().timestamp();
        let done = blocking(move || {
            let root = lock.root();
            if let Some(reason) = reason_to_keep(root, &fence, &folder)? {
                return Ok::<_, FileError>(Discard::Kept(reason));
            }
            let bytes = root
                .release_record(&folder)
                .map_or(0, |(manifest, _)| manifest.total_bytes());
            Ok(if lock.discard(&folder, now)? {
                Discard::Trashed(bytes)
            } else {
                Discard::Gone
            })
        });
        Ok(done
            .await?
            .map_err(|error| Failure::file(Phase::Collect, &error))?)
    }

    async fn purge(&mut self) -> Result<(), StepError> {
        let held = self.held.as_ref().ok_or_else(not_checked)?;
        let (lock, lease) = (Arc::clone(&held.lock), self.job.lease.clone());
        let now = self.job.host.clock.now().timestamp();
        let spare = self.job.host.spare_bytes;
        let purged = blocking(move || {
            let root = lock.root();
            let (mut count, mut bytes, mut left) = (0, 0_u64, Vec::new());
            for discarded in root.trash()? {
                let (free, _) = root.free()?;
                let is_due = discarded.since + TRASH_S <= now || free < spare;
                if !is_due || lease.standing() != Standing::Held {
                    continue;
                }
                if let Err(error) = lock.purge(&discarded) {
                    // One that cannot be deleted must not keep the others.
                    left.push(format!("{} stays: {}", discarded.name, describe(&error)));
                    continue;
                }
                let (freed, _) = root.free()?;
                count += 1;
                bytes = bytes.saturating_add(freed.saturating_sub(free));
            }
            Ok::<_, FileError>((count, bytes, left))
        });
        let (count, bytes, left) = purged
            .await?
            .map_err(|error| Failure::file(Phase::Collect, &error))?;
        (self.purged, self.purged_bytes) = (count, bytes);
        for line in left {
            self.say("purge", line);
        }
        if count > 0 {
            self.effect = Effect::Done;
            self.say("purge", format!("{count} releases deleted out of the trash"));
        }
        Ok(())
    }

    fn say(&self, stage: &str, text: String) {
        self.job.desk.say(stage, LogSource::Agent, text);
    }
}

/// What became of one release.
enum Discard {
    Gone,
    Kept(String),
    Trashed(u64),
}

fn not_checked() -> StepError {
    Failure::new(Phase::Collect, "not_checked", "the root was not opened").into()
}

async fn blocking<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<Result<T, E>, StepError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::of(Phase::Collect, "internal", &error).into())
}

impl<D: Desk> Work for CollectWork<'_, D> {
    type Step = CollectStep;

    async fn perform(&mut self, step: &CollectStep) -> Result<(), StepError> {
        match step {
            CollectStep::Check => self.check().await,
            CollectStep::Discard => self.discard().await,
            CollectStep::Purge => self.purge().await,
        }
    }

    fn effect(&self) -> Effect {
        self.effect
    }

    fn is_done(&self) -> bool {
        false
    }

    async fn close(&mut self, _ok: bool) -> Result<(), StepError> {
        self.held = None;
        Ok(())
    }

    fn product(&self) -> Product {
        Product::Collected {
            trashed: self.trashed.clone(),
            kept: self.kept.clone(),
            purged: self.purged,
            purged_bytes: self.purged_bytes,
        }
    }
}
