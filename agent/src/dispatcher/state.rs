//! The dispatcher: joins the parts, routes events to them, and keeps the consumed queues what they should be.

use std::collections::BTreeSet;
use std::time::Duration;

use pointsman_shared::ids::InstanceId;
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{DeclineReason, SlotFree, WorkingOn};
use pointsman_shared::wire::to_agent::LeaseTimes;
use pointsman_shared::wire::{FromAgent, TraceParent, VERSION};

use super::beat::{Beats, Due};
use super::claim::Claims;
use super::greeting::{Greeting, HelloNow};
use super::recent::Recent;
use super::refusals::Refusals;
use super::work::Work;
use super::{Action, Chance, DeliveryId, Event, JobQueue, Now, Settle};
use crate::config::Slots;
use crate::lease::BootInstant;
use crate::letter::Refusal;

/// Times until a coordinator gives its own (protocol.md 5).
const TIMES: LeaseTimes = LeaseTimes {
    beat_ms: 10_000,
    idle_beat_ms: 30_000,
    lease_ms: 45_000,
    stop_ms: 30_000,
};
/// How long claims under way are waited for when the agent drains.
const DRAIN_CLAIMS: Duration = Duration::from_secs(5);

/// Who this agent is and what it may do at once.
#[derive(Debug, Clone)]
pub struct Me {
    /// The host.
    pub host: HostId,
    /// This process.
    pub instance: InstanceId,
    /// Who may have been known before, the likeliest first.
    pub previous: Vec<InstanceId>,
    /// How many jobs of each kind run at once.
    pub slots: Slots,
    /// The kinds it was started for.
    pub kinds: Vec<JobKind>,
    /// How long running work may go on when the agent drains.
    pub drain_grace: Duration,
}

#[derive(Debug)]
pub(super) struct Drain {
    claims_until: BootInstant,
    work_until: BootInstant,
    given_back: bool,
    told: bool,
}

/// Decides; see the module.
pub struct Dispatcher {
    pub(super) me: Me,
    pub(super) chance: Box<dyn Chance>,
    pub(super) times: LeaseTimes,
    pub(super) greeting: Greeting,
    pub(super) beats: Beats,
    pub(super) claims: Claims,
    pub(super) work: Work,
    pub(super) serials: Recent<u64, 256>,
    pub(super) keys_version: u64,
    pub(super) drain: Option<Drain>,
    refusals: Refusals,
    connected: bool,
    /// Whether a welcome came over this very connection: then the control queue works, and offers may come.
    pub(super) welcomed_here: bool,
    consumed: BTreeSet<JobQueue>,
    pub(super) actions: Vec<Action>,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher")
            .field("me", &self.me)
            .field("work", &self.work)
            .finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// A dispatcher that has heard nothing yet; `keys_version` is that of the pinned keys.
    pub fn new(me: Me, keys_version: u64, chance: Box<dyn Chance>) -> Self {
        let greeting = Greeting::new(me.previous.clone());
        Self {
            me,
            chance,
            times: TIMES,
            greeting,
            beats: Beats::new(),
            claims: Claims::new(),
            work: Work::default(),
            serials: Recent::new(),
            keys_version,
            drain: None,
            refusals: Refusals::default(),
            connected: false,
            welcomed_here: false,
            consumed: BTreeSet::new(),
            actions: Vec::new(),
        }
    }

    /// Hears of an event and answers with what to do, in order.
    pub fn handle(&mut self, event: Event, now: &Now) -> Vec<Action> {
        match event {
            Event::Up => self.up(now),
            Event::Down => self.down(),
            Event::Control(delivery, message) => {
                // Settled first: nothing that follows can fail, and a message that crashed us must not come again.
                self.settle(delivery, Settle::Ack);
                self.control(message.into_inner(), now);
            }
            Event::Offer(delivery, queue, screened) => self.offer(delivery, &queue, *screened, now),
            Event::Unreadable(delivery, offer, message) => {
                self.refuse(Refusal::new("unreadable_body", message.clone()), now);
                self.decline(delivery, offer.get(), None, DeclineReason::Unreadable { message });
            }
            Event::Refused(delivery, refusal) => {
                self.settle(delivery, Settle::Reject);
                self.refuse(refusal, now);
            }
            Event::Ended(work) => self.work.end(work),
            Event::StateChanged => self.say_hello(now),
            Event::Drain => self.begin_drain(now),
            Event::Tick => {}
        }
        self.do_due(now);
        self.match_slots();
        self.finish_drain();
        std::mem::take(&mut self.actions)
    }

    /// When something is due without any event.
    pub fn wake_at(&self) -> BootInstant {
        let drain = self.drain.as_ref().map(|drain| {
            if self.claims.is_empty() {
                drain.work_until
            } else {
                drain.claims_until
            }
        });
        let connected = |at: Option<BootInstant>| at.filter(|_| self.connected);
        [
            connected(self.greeting.wake_at()),
            connected(self.beats.wake_at()),
            self.claims.wake_at(self.connected),
            drain.filter(|_| self.drain.as_ref().is_some_and(|drain| !drain.given_back)),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(BootInstant::never())
    }

    /// What runs.
    pub fn working(&self) -> Vec<WorkingOn> {
        self.work.list()
    }

    /// Whether a coordinator hears this very process.
    pub const fn is_heard(&self) -> bool {
        self.connected && self.welcomed_here
    }

    /// How many messages were refused.
    pub fn refused(&self) -> u64 {
        self.refusals.total()
    }

    fn up(&mut self, now: &Now) {
        self.connected = true;
        self.welcomed_here = false;
        self.beats.reconnected();
        self.claims.reconnected(now);
        let hello = self.greeting.restart(now, self.chance.as_mut());
        self.hello(hello);
    }

    fn down(&mut self) {
        self.connected = false;
        self.consumed.clear();
        self.claims.disconnected();
    }

    pub(super) fn say_hello(&mut self, now: &Now) {
        if !self.connected {
            return;
        }
        if let Some(hello) = self.greeting.begin(now, self.chance.as_mut()) {
            self.hello(hello);
        }
    }

    fn hello(&mut self, hello: HelloNow) {
        self.actions.push(Action::SayHello {
            nonce: hello.nonce,
            previous: hello.previous,
            working: self.work.list(),
        });
    }

    fn do_due(&mut self, now: &Now) {
        for fault in self.refusals.due(now.boot) {
            self.actions.push(Action::Report(fault));
        }
        for job in self.claims.over(now) {
            self.give_up_claim(job);
        }
        self.drain_due(now);
        if !self.connected {
            return;
        }
        if let Some(hello) = self.greeting.due(now) {
            let silence = Duration::from_millis(self.times.idle_beat_ms) * 3;
            let since = self.greeting.unanswered_since();
            if since.is_some_and(|since| now.boot.since(since) >= silence)
                && self.beats.may_rebuild(now, self.chance.as_mut())
            {
                return self.rebuild();
            }
            self.hello(hello);
        }
        let working = !self.work.is_empty();
        match self.beats.due(now, working, &self.times, self.chance.as_mut()) {
            Due::Nothing => {}
            Due::Beat(beat) => self.actions.push(Action::Beat {
                beat,
                working: self.work.list(),
            }),
            Due::Rebuild => return self.rebuild(),
        }
        self.repeat_claims(now);
    }

    fn rebuild(&mut self) {
        tracing::warn!(
            "no coordinator answers: it is away, or another agent of this host holds its queues; the connection to the \
             broker is made anew"
        );
        self.actions.push(Action::Rebuild);
    }

    /// Whether a job of this kind could begin now.
    pub(super) fn has_slot(&self, kind: JobKind) -> bool {
        let used = self.work.count(kind) + self.claims.count(kind);
        used < usize::try_from(self.me.slots.of(kind)).unwrap_or(usize::MAX)
    }

    /// Consumes what should be consumed now and no more, and tells of slots that became free.
    fn match_slots(&mut self) {
        let wanted = self.wanted_queues();
        let stop: Vec<JobQueue> = self.consumed.difference(&wanted).cloned().collect();
        let start: Vec<JobQueue> = wanted.difference(&self.consumed).cloned().collect();
        // Before anything is acked: an ack would bring the next offer.
        let stop = stop.into_iter().map(Action::StopConsuming);
        self.actions.splice(0..0, stop);
        self.actions.extend(start.into_iter().map(Action::Consume));
        self.consumed = wanted;
        let limits = self.me.slots;
        let claims = &self.claims;
        let free = self.work.pay(|work, kind| {
            let used = work.count(kind) + claims.count(kind);
            used < usize::try_from(limits.of(kind)).unwrap_or(usize::MAX)
        });
        if self.drain.is_none() {
            for kind in free {
                let free = SlotFree {
                    v: VERSION,
                    host: self.me.host.clone(),
                    instance: self.me.instance,
                    kind,
                };
                self.say(FromAgent::SlotFree(free), None);
            }
        }
    }

    fn wanted_queues(&self) -> BTreeSet<JobQueue> {
        let open = self.connected && self.welcomed_here && self.drain.is_none();
        let Some(given) = self.greeting.given().filter(|_| open) else {
            return BTreeSet::new();
        };
        let builds = JobKind::Build;
        let full = self.work.count(builds) >= usize::try_from(self.me.slots.of(builds)).unwrap_or(usize::MAX);
        let takes_builds = given.kinds.contains(&builds) && self.me.kinds.contains(&builds) && !full;
        let pools = given.pools.iter().filter(|_| takes_builds);
        std::iter::once(JobQueue::Host)
            .chain(pools.cloned().map(JobQueue::Pool))
            .collect()
    }

    fn begin_drain(&mut self, now: &Now) {
        if self.drain.is_none() {
            self.drain = Some(Drain {
                claims_until: now.boot.plus(DRAIN_CLAIMS),
                work_until: now.boot.plus(self.me.drain_grace),
                given_back: false,
                told: false,
            });
        }
    }

    fn drain_due(&mut self, now: &Now) {
        let Some(drain) = &mut self.drain else { return };
        if drain.work_until <= now.boot && !drain.given_back {
            drain.given_back = true;
            self.work.give_back();
        }
        if drain.claims_until <= now.boot {
            for job in self.claims.jobs() {
                self.give_up_claim(job);
            }
        }
    }

    fn finish_drain(&mut self) {
        let Some(drain) = &mut self.drain else { return };
        if !drain.told && self.work.is_empty() && self.claims.is_empty() {
            drain.told = true;
            self.actions.push(Action::Drained);
        }
    }

    pub(super) fn settle(&mut self, delivery: DeliveryId, how: Settle) {
        self.actions.push(Action::Settle(delivery, how));
    }

    pub(super) fn say(&mut self, message: FromAgent, trace: Option<TraceParent>) {
        self.actions.push(Action::Say(Box::new(message), trace));
    }

    pub(super) fn refuse(&mut self, refusal: Refusal, now: &Now) {
        if let Some(fault) = self.refusals.count(refusal, now.boot) {
            self.actions.push(Action::Report(fault));
        }
    }
}
