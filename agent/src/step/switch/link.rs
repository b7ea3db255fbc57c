//! The moment itself: fence, point of no return, rename, read back. All of it under the root's lock.

use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::outcome::Effect;
use pointsman_shared::wire::job::SwitchOrder;

use crate::crash_point;
use crate::layout::{Claimed, Progress, RootLock};
use crate::lease::{Lease, Standing};
use crate::step::{Failure, StepError};
use pointsman_shared::outcome::Phase;

/// How a switch that did not succeed left the link.
pub(super) struct Unswitched {
    pub(super) effect: Effect,
    pub(super) error: StepError,
}

impl From<StepError> for Unswitched {
    fn from(error: StepError) -> Self {
        Self {
            effect: Effect::None,
            error,
        }
    }
}

impl From<Failure> for Unswitched {
    fn from(failure: Failure) -> Self {
        Self {
            effect: Effect::None,
            error: failure.into(),
        }
    }
}

/// Switches to a release that was checked under this lock, and answers with what was live before the decision's first
/// attempt.
pub(super) fn switch(
    lock: &RootLock,
    lease: &Lease,
    order: &SwitchOrder,
    claimed: Claimed,
) -> Result<Option<ReleaseFolder>, Unswitched> {
    let file = |error| Failure::file(Phase::Switch, &error);
    let root = lock.root();
    let live = root.slot_link(&order.slot).map_err(file)?.release().cloned();
    require_held(lease)?;
    let begun = lock
        .pass(
            order.placement,
            &order.slot,
            claimed,
            live.clone(),
            order.folder.clone(),
        )
        .map_err(|error| Failure::fence(&error))?;
    crash_point!(C12);
    let progress = Progress {
        slot: order.slot.clone(),
        generation: claimed.generation,
        job: claimed.job,
        epoch: claimed.epoch,
        to: order.folder.clone(),
    };
    let prepared =
        require_held(lease).and_then(|()| lock.begin_rename(&progress).map_err(|error| file(error).into()));
    // The last look before the point of no return: what is cancelled now has no effect.
    if let Err(error) = prepared.and_then(|()| require_held(lease)) {
        return Err(call_off(lock, order, claimed, live, error));
    }
    match lock.switch_link(&order.slot, &order.folder) {
        Ok(()) => Ok(begun.from),
        Err(error) => {
            let failure = Failure::link(&error).into();
            match root.slot_link(&order.slot) {
                Ok(link) if link.release() == live.as_ref() && live.as_ref() != Some(&order.folder) => {
                    Err(call_off(lock, order, claimed, live, failure))
                }
                Ok(_) | Err(_) => Err(Unswitched {
                    effect: Effect::Unknown,
                    error: failure,
                }),
            }
        }
    }
}

fn require_held(lease: &Lease) -> Result<(), StepError> {
    match lease.standing() {
        Standing::Held => Ok(()),
        Standing::Cancelled { .. } | Standing::Lost => Err(StepError::Stopped),
    }
}

/// The fence was raised, the link was not touched: the fence says so, and the generation stays used.
fn call_off(
    lock: &RootLock,
    order: &SwitchOrder,
    claimed: Claimed,
    live: Option<ReleaseFolder>,
    error: StepError,
) -> Unswitched {
    let undone = lock
        .call_off(order.placement, &order.slot, claimed, live)
        .map_err(|error| error.to_string())
        .and_then(|()| lock.end_progress().map_err(|error| error.to_string()));
    if let Err(reason) = undone {
        tracing::warn!(job = %claimed.job, reason, "a switch that was called off stays marked as begun");
    }
    Unswitched {
        effect: Effect::None,
        error,
    }
}
