//! Claims under way: repeated with the same nonce until answered or until the offer expires.

use std::collections::BTreeMap;
use std::time::Duration;

use pointsman_shared::ids::{Epoch, JobId};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::{Nonce, TraceParent};

use super::recent::Recent;
use super::{DeliveryId, Now, Screened};
use crate::lease::BootInstant;

/// Pause after the first claim; it doubles.
const FIRST: Duration = Duration::from_secs(2);
/// Longest time a claim is repeated, whatever an offer says.
const LONGEST: Duration = Duration::from_mins(10);

/// A claim that waits for its answer.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) screened: Screened,
    /// None once the connection it came over is gone; it is delivered again.
    pub(super) delivery: Option<DeliveryId>,
    pub(super) nonce: Nonce,
    /// When it was first sent: beat zero of the lease.
    pub(super) first: BootInstant,
    next: BootInstant,
    pause: Duration,
    expires: BootInstant,
}

impl Claim {
    pub(super) fn epoch(&self) -> Epoch {
        self.screened.offer.get().epoch
    }

    pub(super) const fn kind(&self) -> JobKind {
        self.screened.body.order.kind()
    }
}

/// A claim that expired unanswered; its grant may still be on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expired {
    pub(super) nonce: Nonce,
    pub(super) job: JobId,
    pub(super) granted: Epoch,
    pub(super) trace: Option<TraceParent>,
}

/// All claims.
#[derive(Debug)]
pub(super) struct Claims {
    open: BTreeMap<JobId, Claim>,
    expired: Vec<Expired>,
    answered: Recent<Nonce, 256>,
}

impl Claims {
    pub(super) const fn new() -> Self {
        Self {
            open: BTreeMap::new(),
            expired: Vec::new(),
            answered: Recent::new(),
        }
    }

    /// How long an offer still stands; none when it is over. A wrong clock cannot make it stand longer than was signed.
    pub(super) fn time_left(screened: &Screened, now: &Now) -> Option<Duration> {
        let offer = screened.offer.get();
        let signed = offer.expires_at.saturating_sub(offer.issued_at);
        let left = offer.expires_at.saturating_sub(now.coordinator).min(signed);
        u64::try_from(left)
            .ok()
            .filter(|left| *left > 0)
            .map(|left| LONGEST.min(Duration::from_millis(left)))
    }

    /// Opens a claim that is sent now.
    pub(super) fn open(
        &mut self,
        screened: Screened,
        delivery: DeliveryId,
        nonce: Nonce,
        left: Duration,
        now: &Now,
    ) {
        self.open.insert(
            screened.body.job,
            Claim {
                screened,
                delivery: Some(delivery),
                nonce,
                first: now.boot,
                next: now.boot.plus(FIRST),
                pause: FIRST,
                expires: now.boot.plus(left),
            },
        );
    }

    /// The claim for a job.
    pub(super) fn of(&mut self, job: JobId) -> Option<&mut Claim> {
        self.open.get_mut(&job)
    }

    /// Takes the claim with this nonce out, because it was answered.
    pub(super) fn answer(&mut self, job: JobId, nonce: &Nonce) -> Option<Claim> {
        if self.open.get(&job).is_none_or(|claim| claim.nonce != *nonce) {
            return None;
        }
        self.answered.remember(nonce.clone());
        self.open.remove(&job)
    }

    /// Takes an expired claim out, because its answer came after all.
    pub(super) fn answer_expired(&mut self, nonce: &Nonce) -> Option<Expired> {
        let index = self.expired.iter().position(|expired| expired.nonce == *nonce)?;
        self.answered.remember(nonce.clone());
        Some(self.expired.remove(index))
    }

    /// Whether `nonce` was one of ours and is answered.
    pub(super) fn was_answered(&self, nonce: &Nonce) -> bool {
        self.answered.knows(nonce)
    }

    /// Gives a claim up; a grant for it will not be begun.
    pub(super) fn give_up(&mut self, job: JobId) -> Option<Claim> {
        let claim = self.open.remove(&job)?;
        // A grant answers within seconds; a few hundred of these are more than can still be on the way.
        if self.expired.len() >= 256 {
            self.expired.remove(0);
        }
        self.expired.push(Expired {
            nonce: claim.nonce.clone(),
            job,
            granted: claim.epoch().next(),
            trace: claim.screened.trace.clone(),
        });
        Some(claim)
    }

    /// Jobs whose offers are over.
    pub(super) fn over(&self, now: &Now) -> Vec<JobId> {
        let over = |(job, claim): (&JobId, &Claim)| (claim.expires <= now.boot).then_some(*job);
        self.open.iter().filter_map(over).collect()
    }

    /// The claims that have to be sent again now.
    pub(super) fn due(&mut self, now: &Now) -> Vec<&Claim> {
        let mut due = Vec::new();
        for claim in self.open.values_mut() {
            if claim.next <= now.boot {
                claim.pause *= 2;
                claim.next = now.boot.plus(claim.pause);
                due.push(&*claim);
            }
        }
        due
    }

    /// The connection is gone: what was delivered over it is delivered again.
    pub(super) fn disconnected(&mut self) {
        for claim in self.open.values_mut() {
            claim.delivery = None;
        }
    }

    /// A new connection: everything is sent again at once.
    pub(super) fn reconnected(&mut self, now: &Now) {
        for claim in self.open.values_mut() {
            claim.next = now.boot;
            claim.pause = FIRST / 2;
        }
    }

    /// When something is due; without a connection only the end of an offer is.
    pub(super) fn wake_at(&self, connected: bool) -> Option<BootInstant> {
        let due = |claim: &Claim| {
            if connected {
                claim.next.min(claim.expires)
            } else {
                claim.expires
            }
        };
        self.open.values().map(due).min()
    }

    /// How many claims of a kind are open.
    pub(super) fn count(&self, kind: JobKind) -> usize {
        self.open.values().filter(|claim| claim.kind() == kind).count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn jobs(&self) -> Vec<JobId> {
        self.open.keys().copied().collect()
    }
}
