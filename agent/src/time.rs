//! The coordinator's time, as this host can know it.
//!
//! The host's wall clock may be wrong or jump. Every signed answer carries the coordinator's time; from there the boot
//! clock goes on. Expiry of offers and controls is judged by this clock, leases by the boot clock alone.

use std::sync::{Arc, Mutex, PoisonError};

use pointsman_shared::clock::Clock;
use pointsman_shared::wire::UnixMillis;

use crate::lease::BootInstant;

/// A moment by both clocks.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    boot: BootInstant,
    coordinator: UnixMillis,
}

/// The coordinator's time; the wall clock's until a coordinator was heard.
pub struct CoordinatorClock {
    wall: Arc<dyn Clock>,
    anchor: Mutex<Option<Anchor>>,
}

impl std::fmt::Debug for CoordinatorClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CoordinatorClock").finish_non_exhaustive()
    }
}

impl CoordinatorClock {
    /// A clock that has not heard a coordinator.
    pub fn new(wall: Arc<dyn Clock>) -> Self {
        Self {
            wall,
            anchor: Mutex::new(None),
        }
    }

    /// Hears that it was `at` for the coordinator when it answered, which was before `received`.
    pub fn heard(&self, at: UnixMillis, received: BootInstant) {
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) = Some(Anchor {
            boot: received,
            coordinator: at,
        });
    }

    /// Now.
    pub fn now_millis(&self) -> UnixMillis {
        let anchor = *self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        match anchor {
            None => self.wall_millis(),
            Some(anchor) => {
                let passed = BootInstant::now().since(anchor.boot).as_millis();
                anchor
                    .coordinator
                    .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
            }
        }
    }

    /// The host's own wall clock, which messages carry.
    pub fn wall_millis(&self) -> UnixMillis {
        self.wall.now().timestamp_millis()
    }
}
