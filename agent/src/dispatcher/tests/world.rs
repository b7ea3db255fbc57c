//! One agent, told what happens, with a clock that is moved by hand.

use std::time::Duration;

use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, InstanceId, JobId};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{Claim, DeclineReason, WorkingOn};
use pointsman_shared::wire::to_agent::{
    Cancel, Grant, HeartbeatReply, LeaseReply, LeaseTimes, LeaseVerdict, Offer, ToAgent, Welcome,
};
use pointsman_shared::wire::{FromAgent, JobBody, KeySet, Nonce, Role, SigningKey, Verified};
use uuid::Uuid;

use crate::config::Slots;
use crate::dispatcher::{
    Action, Assignment, Chance, DeliveryId, Dispatcher, Event, JobQueue, Me, Now, Screened,
};
use crate::lease::BootInstant;

pub const BUILD: &str = include_str!("../../../../shared/tests/wire/v1/job_body.build.json");
pub const INSTALL: &str = include_str!("../../../../shared/tests/wire/v1/job_body.install.json");
pub const ACTIVATE: &str = include_str!("../../../../shared/tests/wire/v1/job_body.activate.json");

pub const TIMES: LeaseTimes = LeaseTimes {
    beat_ms: 10_000,
    idle_beat_ms: 30_000,
    lease_ms: 45_000,
    stop_ms: 30_000,
};

struct Counted(u8);

impl Chance for Counted {
    fn nonce(&mut self) -> Nonce {
        self.0 += 1;
        Nonce::from_bytes([self.0; 16])
    }

    fn fraction(&mut self) -> f64 {
        0.5
    }
}

pub fn instance(n: u128) -> InstanceId {
    InstanceId(Uuid::from_u128(n))
}

pub fn job(n: u128) -> JobId {
    JobId(Uuid::from_u128(n))
}

/// A message as it comes out of `Envelope::verify`, which nothing else can make.
pub fn verified(message: &ToAgent) -> Verified<ToAgent> {
    let key = SigningKey::from_seed(&[1; 32]);
    let keys = KeySet::of(Role::Coordinator, key.public());
    key.sign_to_agent(message).verify(&keys).unwrap()
}

pub struct World {
    pub dispatcher: Dispatcher,
    pub now: Now,
    start: BootInstant,
    delivery: u64,
}

impl World {
    pub fn new() -> Self {
        let me = Me {
            host: "web-1".parse().unwrap(),
            instance: instance(100),
            previous: vec![instance(99), instance(98)],
            slots: Slots {
                install: 1,
                ..Slots::default()
            },
            kinds: JobKind::ALL.to_vec(),
            drain_grace: Duration::from_mins(1),
        };
        let start = BootInstant::now();
        Self {
            dispatcher: Dispatcher::new(me, 0, Box::new(Counted(0))),
            now: Now {
                boot: start,
                coordinator: 1_000_000,
                wall: 5_000_000,
            },
            start,
            delivery: 0,
        }
    }

    /// An agent that is connected and welcome.
    pub fn welcomed() -> Self {
        let mut world = Self::new();
        let actions = world.tell(Event::Up);
        let nonce = hello_nonce(&actions).expect("a hello");
        world.control(&ToAgent::Welcome(world.welcome(nonce)));
        world
    }

    pub fn tell(&mut self, event: Event) -> Vec<Action> {
        self.dispatcher.handle(event, &self.now)
    }

    pub fn later(&mut self, seconds: u64) -> Vec<Action> {
        self.now.boot = self.now.boot.plus(Duration::from_secs(seconds));
        let passed = i64::try_from(seconds).unwrap() * 1000;
        self.now.coordinator += passed;
        self.now.wall += passed;
        self.tell(Event::Tick)
    }

    /// Sleeps until the dispatcher wants to be woken; says after how many seconds that was.
    pub fn wake(&mut self) -> (u64, Vec<Action>) {
        let pause = self.dispatcher.wake_at().since(self.now.boot).as_secs();
        (pause, self.later(pause))
    }

    pub fn passed(&self) -> u64 {
        self.now.boot.since(self.start).as_secs()
    }

    pub fn next_delivery(&mut self) -> DeliveryId {
        self.delivery += 1;
        DeliveryId(self.delivery)
    }

    pub fn control(&mut self, message: &ToAgent) -> Vec<Action> {
        let delivery = self.next_delivery();
        self.tell(Event::Control(delivery, Box::new(verified(message))))
    }

    pub fn screened(&self, body: &str, n: u128, epoch: u32) -> Screened {
        let mut body: JobBody = serde_json::from_str(body).unwrap();
        body.job = job(n);
        let text = serde_json::to_string(&body).unwrap();
        let offer = Offer {
            v: 1,
            job: body.job,
            epoch: Epoch(epoch),
            digest: Digest::of(text.as_bytes()),
            body: text,
            issued_at: self.now.coordinator,
            expires_at: self.now.coordinator + 120_000,
        };
        Screened {
            offer: verified(&ToAgent::Offer(offer.clone())).narrow(|_| offer),
            body,
            objection: None,
            trace: None,
        }
    }

    pub fn offer(&mut self, body: &str, n: u128) -> Vec<Action> {
        let screened = self.screened(body, n, 0);
        self.offer_screened(screened)
    }

    pub fn offer_screened(&mut self, screened: Screened) -> Vec<Action> {
        let queue = if screened.body.order.kind() == JobKind::Build {
            JobQueue::Pool("default".parse().unwrap())
        } else {
            JobQueue::Host
        };
        let delivery = self.next_delivery();
        self.tell(Event::Offer(delivery, queue, Box::new(screened)))
    }

    /// Offers a job and grants the claim.
    pub fn begin(&mut self, body: &str, n: u128) -> (Assignment, Vec<Action>) {
        let claim = claimed(&self.offer(body, n)).expect("a claim");
        let mut actions = self.control(&ToAgent::Grant(self.grant(&claim)));
        let index = actions
            .iter()
            .position(|action| matches!(action, Action::Begin(_)))
            .expect("work begins");
        let Action::Begin(assignment) = actions.remove(index) else {
            unreachable!()
        };
        (*assignment, actions)
    }

    pub fn welcome(&self, nonce: Nonce) -> Welcome {
        Welcome {
            v: 1,
            host: "web-1".parse().unwrap(),
            instance: instance(100),
            nonce,
            keys: KeySet::default(),
            pools: vec!["default".parse().unwrap()],
            kinds: JobKind::ALL.to_vec(),
            placements: Vec::new(),
            times: TIMES,
            at: self.now.coordinator,
        }
    }

    pub fn grant(&self, claim: &Claim) -> Grant {
        Grant {
            v: 1,
            host: claim.host.clone(),
            instance: claim.instance,
            job: claim.job,
            epoch: claim.epoch.next(),
            digest: claim.digest,
            nonce: claim.nonce.clone(),
            granted_at: self.now.coordinator,
            times: TIMES,
        }
    }

    pub fn reply(&self, beat: u64, verdicts: &[(WorkingOn, LeaseVerdict)]) -> ToAgent {
        let lease = |(work, verdict): &(WorkingOn, LeaseVerdict)| LeaseReply {
            job: work.job,
            epoch: work.epoch,
            verdict: verdict.clone(),
        };
        ToAgent::HeartbeatReply(HeartbeatReply {
            v: 1,
            host: "web-1".parse().unwrap(),
            instance: instance(100),
            beat,
            leases: verdicts.iter().map(lease).collect(),
            say_hello: false,
            keys_version: 0,
            times: TIMES,
            at: self.now.coordinator,
        })
    }

    pub fn cancel(&self, n: u128, serial: u64) -> Cancel {
        Cancel {
            v: 1,
            host: "web-1".parse().unwrap(),
            instance: instance(100),
            job: job(n),
            epoch: Epoch(1),
            reason: "somebody wants it".to_owned(),
            serial,
            expires_at: self.now.coordinator + 60_000,
        }
    }
}

/// A job in its first epoch.
pub fn first_epoch(n: u128) -> WorkingOn {
    WorkingOn {
        job: job(n),
        epoch: Epoch(1),
    }
}

/// What was done, in words.
pub fn words(actions: &[Action]) -> Vec<String> {
    actions.iter().map(word).collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what no test expects is shown as it is"
)]
fn word(action: &Action) -> String {
    match action {
        Action::Settle(delivery, how) => format!("{how:?} {}", delivery.0),
        Action::Say(message, _) => match message.as_ref() {
            FromAgent::Claim(_) => "claim".to_owned(),
            FromAgent::Declined(declined) => format!("declined {:?}", declined.reason),
            FromAgent::SlotFree(free) => format!("slot free for {}", free.kind),
            FromAgent::NotBegun(_) => "not begun".to_owned(),
            other => format!("{other:?}"),
        },
        Action::SayHello { previous, .. } => {
            format!("hello after {}", previous.map_or(0, |id| id.0.as_u128()))
        }
        Action::Beat { beat, working } => format!("beat {beat} of {}", working.len()),
        Action::Consume(JobQueue::Host) => "consume host".to_owned(),
        Action::Consume(JobQueue::Pool(pool)) => format!("consume {pool}"),
        Action::StopConsuming(JobQueue::Host) => "stop host".to_owned(),
        Action::StopConsuming(JobQueue::Pool(pool)) => format!("stop {pool}"),
        Action::Rebuild => "rebuild".to_owned(),
        Action::Begin(assignment) => format!("begin {}", assignment.epoch),
        Action::Adopt(adopt) => format!("adopt {}", adopt.generation),
        Action::Forget { upto, .. } => format!("forget {upto}"),
        Action::Welcomed(_) => "welcomed".to_owned(),
        Action::Pin(keys) => format!("pin {}", keys.version),
        Action::Heard(_) => "heard".to_owned(),
        Action::Report(fault) => format!("fault {}", fault.message),
        Action::Drained => "drained".to_owned(),
    }
}

pub fn hello_nonce(actions: &[Action]) -> Option<Nonce> {
    actions.iter().find_map(|action| {
        let Action::SayHello { nonce, .. } = action else {
            return None;
        };
        Some(nonce.clone())
    })
}

pub fn claimed(actions: &[Action]) -> Option<Claim> {
    actions.iter().find_map(|action| {
        let Action::Say(message, _) = action else {
            return None;
        };
        let FromAgent::Claim(claim) = message.as_ref() else {
            return None;
        };
        Some(claim.clone())
    })
}

pub fn busy() -> String {
    format!("declined {:?}", DeclineReason::Busy)
}
