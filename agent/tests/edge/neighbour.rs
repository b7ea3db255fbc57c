//! The coordinator next door: it welcomes, grants, renews and acknowledges as the real one does, unless it is told not
//! to, and remembers everything it hears.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::FieldTable;
use pointsman_shared::clock::{Clock as _, SystemClock, SystemIds};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, IdSource as _, InstanceId, JobId};
use pointsman_shared::outcome::{JobKind, Outcome};
use pointsman_shared::wire::from_agent::{Claim, Heartbeat, Hello, Report, ReportContent};
use pointsman_shared::wire::job::Audience;
use pointsman_shared::wire::to_agent::{
    Acknowledge, Grant, HeartbeatReply, LeaseReply, LeaseTimes, LeaseVerdict, Offer, ToAgent, Welcome,
};
use pointsman_shared::wire::topology::{self, CONTROL, JOBS};
use pointsman_shared::wire::{Envelope, FromAgent, JobBody, KeySet, LogChunk, PublicKey, Role, SigningKey};
use serde_json::Value;

use crate::broker::Broker;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(40);

pub const TIMES: LeaseTimes = LeaseTimes {
    beat_ms: 300,
    idle_beat_ms: 700,
    lease_ms: 4000,
    stop_ms: 2000,
};

/// What the neighbour may be told not to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    Claims,
    Beats,
    Reports,
}

#[derive(Default)]
pub struct Memory {
    pub heard: Vec<FromAgent>,
    pub chunks: Vec<LogChunk>,
    silent: HashSet<About>,
    pub agent_key: Option<PublicKey>,
    pub objects: HashMap<String, Vec<u8>>,
    pub variables: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, String>,
    pub signed_requests: Vec<String>,
    stored: Vec<u64>,
}

/// The neighbour.
pub struct Neighbour {
    pub broker: Broker,
    pub key: Arc<SigningKey>,
    pub memory: Arc<Mutex<Memory>>,
    pub http: String,
}

impl Neighbour {
    pub async fn new() -> Arc<Self> {
        let broker = Broker::new().await;
        let key = Arc::new(SigningKey::from_seed(&[5; 32]));
        let memory = Arc::new(Mutex::new(Memory::default()));
        let http = crate::http::serve(Arc::clone(&memory), Arc::clone(&key), broker.url()).await;
        let neighbour = Arc::new(Self {
            broker,
            key,
            memory,
            http,
        });
        neighbour.listen(topology::COORDINATOR_REPORTS).await;
        neighbour.listen(topology::COORDINATOR_LOGS).await;
        neighbour
    }

    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    pub fn keys(&self) -> KeySet {
        KeySet {
            version: 1,
            ..KeySet::of(Role::Coordinator, self.key.public())
        }
    }

    async fn listen(self: &Arc<Self>, queue: &'static str) {
        let options = BasicConsumeOptions::default();
        let consuming =
            self.broker
                .channel
                .basic_consume(queue.into(), queue.into(), options, FieldTable::default());
        let mut consumer = consuming.await.unwrap();
        let me = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(Ok(delivery)) = consumer.next().await {
                let Some(me) = me.upgrade() else { return };
                let key = me.memory().agent_key.clone().expect("nobody joined");
                let keys = KeySet::of(Role::Agent, key);
                let envelope = Envelope::from_bytes(&delivery.data).unwrap();
                if queue == topology::COORDINATOR_LOGS {
                    let chunk = envelope.verify::<LogChunk>(&keys).unwrap().into_inner();
                    me.memory().chunks.push(chunk);
                } else {
                    let message = envelope.verify::<FromAgent>(&keys).unwrap().into_inner();
                    me.hear(message).await;
                }
                delivery.acker.ack(BasicAckOptions::default()).await.unwrap();
            }
        });
    }

    async fn hear(&self, message: FromAgent) {
        let silent = self.memory().silent.clone();
        self.memory().heard.push(message.clone());
        match message {
            FromAgent::Hello(hello) => self.say(&self.welcome(&hello)).await,
            FromAgent::Claim(claim) if !silent.contains(&About::Claims) => self.say(&grant(&claim)).await,
            FromAgent::Heartbeat(beat) if !silent.contains(&About::Beats) => self.say(&renewal(&beat)).await,
            FromAgent::Report(report) if !silent.contains(&About::Reports) => self.acknowledge(&report).await,
            _ => {}
        }
    }

    /// Leaves these messages without an answer from now on.
    pub fn be_silent(&self, about: About) {
        self.memory().silent.insert(about);
    }

    /// Answers everything again.
    pub fn speak(&self) {
        self.memory().silent.clear();
    }

    /// Says something over the control queue.
    pub async fn say(&self, message: &ToAgent) {
        let bytes = self.key.sign_to_agent(message).to_bytes();
        self.broker
            .publish(CONTROL.name, "host.web-1.control", &bytes)
            .await;
    }

    fn welcome(&self, hello: &Hello) -> ToAgent {
        ToAgent::Welcome(Welcome {
            v: 1,
            host: hello.host.clone(),
            instance: hello.instance,
            nonce: hello.nonce.clone(),
            keys: self.keys(),
            pools: vec!["default".parse().unwrap()],
            kinds: JobKind::ALL.to_vec(),
            placements: Vec::new(),
            times: TIMES,
            at: now(),
        })
    }

    async fn acknowledge(&self, report: &Report) {
        let upto = {
            let mut memory = self.memory();
            memory.stored.push(report.seq);
            (1..=report.seq)
                .take_while(|seq| memory.stored.contains(seq))
                .last()
                .unwrap_or(0)
        };
        let message = Acknowledge {
            v: 1,
            host: report.host.clone(),
            spool: report.spool,
            upto,
        };
        self.say(&ToAgent::Acknowledge(message)).await;
    }

    /// Offers a job whose body is one of the pinned samples, changed by `change`; says which job it is.
    pub async fn offer(&self, sample: &str, change: impl FnOnce(&mut Value)) -> JobId {
        let offer = make_offer(sample, change);
        let job = offer.job;
        self.publish_offer(&offer).await;
        job
    }

    pub async fn publish_offer(&self, offer: &Offer) {
        let body: JobBody = serde_json::from_str(&offer.body).unwrap();
        let queue = match &body.audience {
            Audience::Host(host) => topology::host_jobs(host),
            Audience::Pool(pool) => topology::pool_jobs(pool),
        };
        let bytes = self.key.sign_to_agent(&ToAgent::Offer(offer.clone())).to_bytes();
        self.broker.publish(JOBS.name, &queue, &bytes).await;
    }

    /// Waits until `find` finds something in what was heard.
    pub async fn until<T>(&self, what: &str, mut find: impl FnMut(&Memory) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = find(&self.memory()) {
                return found;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{what} did not happen; heard: {:#?}",
                self.memory().heard.iter().rev().take(12).collect::<Vec<_>>()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a queue holds at least `count` messages.
    pub async fn until_waiting(&self, queue: &str, count: u32) {
        let begun = Instant::now();
        while self.broker.waiting(queue).await < count {
            assert!(begun.elapsed() < PATIENCE, "{queue} does not fill");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for a job's result.
    pub async fn result(&self, job: JobId) -> Outcome {
        self.until("a result", |memory| memory.results(job).into_iter().next())
            .await
    }

    /// Waits for the `n`th hello.
    pub async fn hello(&self, n: usize) -> Hello {
        self.until("a hello", |memory| memory.hellos().into_iter().nth(n))
            .await
    }

    /// The current instance.
    pub async fn instance(&self) -> InstanceId {
        self.until("a hello", |memory| {
            memory.hellos().last().map(|hello| hello.instance)
        })
        .await
    }
}

impl Memory {
    pub fn hellos(&self) -> Vec<Hello> {
        let hello = |message: &FromAgent| match message {
            FromAgent::Hello(hello) => Some(hello.clone()),
            _ => None,
        };
        self.heard.iter().filter_map(hello).collect()
    }

    pub fn reports(&self) -> Vec<Report> {
        let report = |message: &FromAgent| match message {
            FromAgent::Report(report) => Some(report.clone()),
            _ => None,
        };
        self.heard.iter().filter_map(report).collect()
    }

    pub fn results(&self, job: JobId) -> Vec<Outcome> {
        let result = |report: Report| match report.content {
            ReportContent::Result(result) if result.job == job => Some(result.outcome),
            _ => None,
        };
        self.reports().into_iter().filter_map(result).collect()
    }

    pub fn claims(&self, job: JobId) -> Vec<Claim> {
        let claim = |message: &FromAgent| match message {
            FromAgent::Claim(claim) if claim.job == job => Some(claim.clone()),
            _ => None,
        };
        self.heard.iter().filter_map(claim).collect()
    }

    pub fn works_on(&self, job: JobId) -> bool {
        self.heard.iter().any(|message| match message {
            FromAgent::Heartbeat(beat) => beat.working.iter().any(|work| work.job == job),
            _ => false,
        })
    }
}

/// The grant of a claim.
pub fn grant(claim: &Claim) -> ToAgent {
    ToAgent::Grant(Grant {
        v: 1,
        host: claim.host.clone(),
        instance: claim.instance,
        job: claim.job,
        epoch: claim.epoch.next(),
        digest: claim.digest,
        nonce: claim.nonce.clone(),
        granted_at: now(),
        times: TIMES,
    })
}

fn renewal(beat: &Heartbeat) -> ToAgent {
    let renewed = beat.working.iter().map(|work| LeaseReply {
        job: work.job,
        epoch: work.epoch,
        verdict: LeaseVerdict::Renewed,
    });
    ToAgent::HeartbeatReply(HeartbeatReply {
        v: 1,
        host: beat.host.clone(),
        instance: beat.instance,
        beat: beat.beat,
        leases: renewed.collect(),
        say_hello: false,
        keys_version: 1,
        times: TIMES,
        at: now(),
    })
}

/// An offer of a pinned sample, changed by `change`.
pub fn make_offer(sample: &str, change: impl FnOnce(&mut Value)) -> Offer {
    let path = format!(
        "{}/../shared/tests/wire/v1/job_body.{sample}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut body: Value = serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap();
    let job = JobId(SystemIds.next());
    body["job"] = job.to_string().into();
    body["order"]["log_stream"] = SystemIds.next().to_string().into();
    change(&mut body);
    let body: JobBody = serde_json::from_value(body).unwrap();
    let body = serde_json::to_string(&body).unwrap();
    Offer {
        v: 1,
        job,
        epoch: Epoch::NONE,
        digest: Digest::of(body.as_bytes()),
        body,
        issued_at: now(),
        expires_at: now() + 120_000,
    }
}

/// The wall clock.
pub fn now() -> i64 {
    SystemClock.now().timestamp_millis()
}
