//! Hello until welcome. Jobs are consumed only after it, the control queue always.

use std::time::Duration;

use pointsman_shared::ids::InstanceId;
use pointsman_shared::name::PoolName;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::Nonce;

use super::recent::Recent;
use super::{Chance, Now};
use crate::lease::BootInstant;

/// Pause after the first hello; it doubles.
const FIRST: Duration = Duration::from_secs(2);
/// Longest pause between hellos.
const LONGEST: Duration = Duration::from_secs(30);

/// What the last welcome gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) pools: Vec<PoolName>,
    pub(super) kinds: Vec<JobKind>,
}

#[derive(Debug)]
struct Asking {
    nonce: Nonce,
    since: BootInstant,
    next: BootInstant,
    pause: Duration,
}

/// What has to be said.
#[derive(Debug)]
pub(super) struct HelloNow {
    pub(super) nonce: Nonce,
    pub(super) previous: Option<InstanceId>,
}

/// What a nonce means to us.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// It answers the hello we wait for.
    Expected,
    /// It answers one that was answered already.
    Again,
    /// We never asked.
    Unasked,
}

/// The state of the greeting.
#[derive(Debug)]
pub(super) struct Greeting {
    previous: Vec<InstanceId>,
    tried: usize,
    asking: Option<Asking>,
    given: Option<Given>,
    nonces: Recent<Nonce, 16>,
}

impl Greeting {
    pub(super) const fn new(previous: Vec<InstanceId>) -> Self {
        Self {
            previous,
            tried: 0,
            asking: None,
            given: None,
            nonces: Recent::new(),
        }
    }

    /// Says hello afresh, unless a hello is under way.
    pub(super) fn begin(&mut self, now: &Now, chance: &mut dyn Chance) -> Option<HelloNow> {
        if self.asking.is_some() {
            return None;
        }
        Some(self.ask(now, chance))
    }

    /// A new connection: whatever was under way is asked again at once.
    pub(super) fn restart(&mut self, now: &Now, chance: &mut dyn Chance) -> HelloNow {
        self.ask(now, chance)
    }

    fn ask(&mut self, now: &Now, chance: &mut dyn Chance) -> HelloNow {
        let nonce = chance.nonce();
        self.nonces.remember(nonce.clone());
        self.asking = Some(Asking {
            nonce: nonce.clone(),
            since: now.boot,
            next: now.boot.plus(FIRST),
            pause: FIRST,
        });
        self.hello(nonce)
    }

    fn hello(&self, nonce: Nonce) -> HelloNow {
        HelloNow {
            nonce,
            previous: self.previous.get(self.tried).copied(),
        }
    }

    /// The hello that is due again.
    pub(super) fn due(&mut self, now: &Now) -> Option<HelloNow> {
        let asking = self.asking.as_mut().filter(|asking| asking.next <= now.boot)?;
        asking.pause = LONGEST.min(asking.pause * 2);
        asking.next = now.boot.plus(asking.pause);
        let nonce = asking.nonce.clone();
        Some(self.hello(nonce))
    }

    /// When the next hello is due.
    pub(super) fn wake_at(&self) -> Option<BootInstant> {
        self.asking.as_ref().map(|asking| asking.next)
    }

    /// Since when a hello is unanswered.
    pub(super) fn unanswered_since(&self) -> Option<BootInstant> {
        self.asking.as_ref().map(|asking| asking.since)
    }

    fn judge(&self, nonce: &Nonce) -> Answered {
        if self.asking.as_ref().is_some_and(|asking| asking.nonce == *nonce) {
            Answered::Expected
        } else if self.nonces.knows(nonce) {
            Answered::Again
        } else {
            Answered::Unasked
        }
    }

    /// Hears a welcome.
    pub(super) fn welcome(&mut self, nonce: &Nonce, given: Given) -> Answered {
        let answered = self.judge(nonce);
        if answered == Answered::Expected {
            self.asking = None;
            self.given = Some(given);
        }
        answered
    }

    /// Hears a refusal: the next predecessor is tried at once, and after the last one it is asked again later.
    pub(super) fn unwelcome(&mut self, nonce: &Nonce, now: &Now, chance: &mut dyn Chance) -> Answered {
        let answered = self.judge(nonce);
        if answered == Answered::Expected {
            self.tried += 1;
            let pause = if self.tried < self.previous.len() {
                Duration::ZERO
            } else {
                self.tried = 0;
                LONGEST / 3
            };
            let fresh = chance.nonce();
            self.nonces.remember(fresh.clone());
            self.asking = Some(Asking {
                nonce: fresh,
                since: now.boot,
                next: now.boot.plus(pause),
                pause: LONGEST / 3,
            });
        }
        answered
    }

    /// Whether `nonce` was one of ours.
    pub(super) fn asked(&self, nonce: &Nonce) -> bool {
        self.nonces.knows(nonce)
    }

    /// What the last welcome gave; none before it.
    pub(super) const fn given(&self) -> Option<&Given> {
        self.given.as_ref()
    }
}
