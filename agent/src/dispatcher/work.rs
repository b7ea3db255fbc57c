//! What runs: one keeper of the lease per job, and which kinds owe the coordinator a word when a slot becomes free.

use std::collections::{BTreeMap, BTreeSet};

use pointsman_shared::ids::{Epoch, JobId};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::WorkingOn;
use pointsman_shared::wire::to_agent::LeaseVerdict;

use crate::lease::{BootInstant, LeaseKeeper};

/// A job that runs.
#[derive(Debug)]
struct Running {
    kind: JobKind,
    epoch: Epoch,
    keeper: LeaseKeeper,
}

/// All that runs.
#[derive(Debug, Default)]
pub(super) struct Work {
    running: BTreeMap<JobId, Running>,
    owed: BTreeSet<JobKind>,
    /// Jobs that were declined because an earlier epoch of theirs still winds down here.
    owed_after: BTreeMap<JobId, JobKind>,
}

impl Work {
    pub(super) fn begin(&mut self, job: JobId, epoch: Epoch, kind: JobKind, keeper: LeaseKeeper) {
        self.running.insert(job, Running { kind, epoch, keeper });
    }

    /// Takes a job out, if it runs in this epoch.
    pub(super) fn end(&mut self, work: WorkingOn) {
        if self.epoch_of(work.job) == Some(work.epoch) {
            self.running.remove(&work.job);
            self.owed.extend(self.owed_after.remove(&work.job));
        }
    }

    /// The epoch a job runs in.
    pub(super) fn epoch_of(&self, job: JobId) -> Option<Epoch> {
        self.running.get(&job).map(|running| running.epoch)
    }

    /// Applies a verdict on the beat that was sent at `sent`. A migration neither stops itself nor is stopped by a lost
    /// lease: half of one is worse than a late one (protocol.md 5).
    pub(super) fn judge(&self, work: WorkingOn, verdict: &LeaseVerdict, stop_at: BootInstant) {
        let Some(running) = self.running.get(&work.job).filter(|r| r.epoch == work.epoch) else {
            return;
        };
        match verdict {
            LeaseVerdict::Renewed => running.keeper.renew(stop_at),
            LeaseVerdict::Cancel { reason } => {
                running.keeper.renew(stop_at);
                running.keeper.cancel(reason.clone());
            }
            LeaseVerdict::Lost if running.kind == JobKind::Migrate => {}
            LeaseVerdict::Lost => running.keeper.lose(),
        }
    }

    /// Cancels a job in its epoch; says whether it runs here.
    pub(super) fn cancel(&self, work: WorkingOn, reason: String) -> bool {
        let running = self.running.get(&work.job).filter(|r| r.epoch == work.epoch);
        running.map(|running| running.keeper.cancel(reason)).is_some()
    }

    /// Gives everything back that may be given back.
    pub(super) fn give_back(&self) {
        for running in self.running.values().filter(|r| r.kind != JobKind::Migrate) {
            running.keeper.lose();
        }
    }

    /// What runs, as messages tell it.
    pub(super) fn list(&self) -> Vec<WorkingOn> {
        let tell = |(job, running): (&JobId, &Running)| WorkingOn {
            job: *job,
            epoch: running.epoch,
        };
        self.running.iter().map(tell).collect()
    }

    pub(super) fn count(&self, kind: JobKind) -> usize {
        self.running
            .values()
            .filter(|running| running.kind == kind)
            .count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Remembers that a job was declined for want of a slot.
    pub(super) fn owe(&mut self, job: JobId, kind: JobKind) {
        if self.running.contains_key(&job) {
            self.owed_after.insert(job, kind);
        } else {
            self.owed.insert(kind);
        }
    }

    /// The kinds that were declined and for which `has_slot` says yes now.
    pub(super) fn pay(&mut self, has_slot: impl Fn(&Self, JobKind) -> bool) -> Vec<JobKind> {
        let paid: Vec<JobKind> = self
            .owed
            .iter()
            .copied()
            .filter(|kind| has_slot(self, *kind))
            .collect();
        for kind in &paid {
            self.owed.remove(kind);
        }
        paid
    }
}
