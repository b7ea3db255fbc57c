//! The right to go on: one epoch's lease as its worker sees it.
//!
//! The broker edge holds the [`LeaseKeeper`] and moves the deadline with every answered beat; the worker holds the
//! [`Lease`] and asks before every step. The deadline is read from the boot clock at the moment of asking: a process
//! that was stopped for two minutes must not go on because its own timer has not run yet. Wall-clock time is never used.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;

/// A moment of the boot clock, which also runs while the machine sleeps; milliseconds since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootInstant(u64);

impl BootInstant {
    /// Now.
    pub fn now() -> Self {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Self(seconds * 1000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000)
    }

    /// The moment `later` after this one.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(later.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// Time from `earlier` to this moment; zero when it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// A moment that does not come.
    pub const fn never() -> Self {
        Self(u64::MAX)
    }

    /// Time from now until this moment; zero when it is past.
    pub fn remaining(self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(Self::now().0))
    }
}

/// Whether work may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Go on.
    Held,
    /// Somebody cancelled the job.
    Cancelled {
        /// Why, for people.
        reason: String,
    },
    /// The epoch is no longer ours, or could not be renewed in time.
    Lost,
}

/// The worker's side.
#[derive(Debug, Clone)]
pub struct Lease {
    told: watch::Receiver<Standing>,
    stop_at: Arc<AtomicU64>,
    past_no_return: bool,
    unending: bool,
}

/// The broker edge's side. Dropping it leaves the deadline standing: the worker stops when it passes.
#[derive(Debug)]
pub struct LeaseKeeper {
    tell: watch::Sender<Standing>,
    stop_at: Arc<AtomicU64>,
}

/// A lease that ends at `stop_at` unless it is renewed.
pub fn lease(stop_at: BootInstant) -> (LeaseKeeper, Lease) {
    let (tell, told) = watch::channel(Standing::Held);
    let stop_at = Arc::new(AtomicU64::new(stop_at.0));
    (
        LeaseKeeper {
            tell,
            stop_at: Arc::clone(&stop_at),
        },
        Lease {
            told,
            stop_at,
            past_no_return: false,
            unending: false,
        },
    )
}

impl LeaseKeeper {
    /// Moves the deadline: `stop_ms` after the renewed beat was *sent*.
    pub fn renew(&self, stop_at: BootInstant) {
        self.stop_at.fetch_max(stop_at.0, Ordering::SeqCst);
    }

    /// Tells the worker to stop because somebody wants it. A lost lease stays lost.
    pub fn cancel(&self, reason: String) {
        self.tell.send_if_modified(|standing| {
            let first = *standing == Standing::Held;
            if first {
                *standing = Standing::Cancelled { reason };
            }
            first
        });
    }

    /// Tells the worker that the epoch is not its own any more.
    pub fn lose(&self) {
        self.tell.send_replace(Standing::Lost);
    }
}

impl Lease {
    /// Whether work may go on at this very moment.
    pub fn standing(&self) -> Standing {
        if self.unending {
            return Standing::Held;
        }
        let told = self.told.borrow().clone();
        match told {
            Standing::Held | Standing::Cancelled { .. } if self.deadline().remaining().is_zero() => {
                Standing::Lost
            }
            Standing::Cancelled { .. } if self.past_no_return => Standing::Held,
            Standing::Held | Standing::Cancelled { .. } | Standing::Lost => told,
        }
    }

    /// The same lease for work that cannot be called off any more: a cancel comes too late for it.
    #[must_use]
    pub fn past_no_return(&self) -> Self {
        Self {
            past_no_return: true,
            ..self.clone()
        }
    }

    /// The same lease for work that nothing may stop half-way, not even its loss.
    #[must_use]
    pub fn unending(&self) -> Self {
        Self {
            unending: true,
            ..self.clone()
        }
    }

    /// Waits until work must stop, and says why.
    pub async fn ended(&self) -> Standing {
        let mut told = self.told.clone();
        loop {
            let standing = self.standing();
            if standing != Standing::Held {
                return standing;
            }
            // Timers run on a clock that stops while the machine sleeps, so the boot clock is asked every second.
            let pause = if self.unending {
                Duration::from_secs(1)
            } else {
                self.deadline().remaining().min(Duration::from_secs(1))
            };
            tokio::select! {
                changed = told.changed() => if changed.is_err() {
                    tokio::time::sleep(pause).await;
                },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn deadline(&self) -> BootInstant {
        BootInstant(self.stop_at.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lease_that_is_not_renewed_is_lost() {
        let (keeper, lease) = lease(BootInstant::now().plus(Duration::from_millis(30)));
        assert_eq!(lease.standing(), Standing::Held);
        drop(keeper);
        assert_eq!(lease.ended().await, Standing::Lost);
    }

    #[tokio::test]
    async fn renewing_moves_the_deadline_and_never_back() {
        let (keeper, lease) = lease(BootInstant::now());
        assert_eq!(lease.standing(), Standing::Lost);
        keeper.renew(BootInstant::now().plus(Duration::from_mins(1)));
        keeper.renew(BootInstant::now());
        assert_eq!(lease.standing(), Standing::Held);
    }

    #[tokio::test]
    async fn the_first_cancel_is_heard_at_once_and_loss_outranks_it() {
        let (keeper, lease) = lease(BootInstant::now().plus(Duration::from_mins(1)));
        keeper.cancel("first".to_owned());
        keeper.cancel("second".to_owned());
        assert_eq!(
            lease.ended().await,
            Standing::Cancelled {
                reason: "first".to_owned()
            }
        );
        assert_eq!(lease.past_no_return().standing(), Standing::Held);
        keeper.lose();
        assert_eq!(lease.standing(), Standing::Lost);
        assert_eq!(lease.past_no_return().standing(), Standing::Lost);
        assert_eq!(lease.unending().standing(), Standing::Held);
    }
}
