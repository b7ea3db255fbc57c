//! What only this process knows: answers it gave, readers it has, its connections. It starts at zero with every start,
//! as counters may; two coordinators are added up.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use pointsman_shared::api::garbage::Garbage as Found;
use pointsman_store::Store;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{Answered, Garbage, Receiver, Session};

/// Bounds of the time an answer takes, in seconds.
const ANSWER: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Kinds of channels, as `Place::kind` names them.
const RECEIVERS: [&str; 4] = ["webhook", "slack", "slack_bot", "email"];

type Bytes = Gauge<u64, AtomicU64>;

/// The counts of this process.
#[derive(Debug)]
pub struct Process {
    answers: Family<Answered, Histogram, fn() -> Histogram>,
    readers: Gauge,
    replayed: Counter,
    log_bytes: Counter,
    refused: Counter,
    broker: Family<Session, Gauge>,
    reclaimable: Family<Garbage, Bytes>,
    notified: Family<Receiver, Counter>,
    not_notified: Family<Receiver, Counter>,
    database: Gauge,
    in_use: Gauge,
    limit: Gauge,
}

fn answer_times() -> Histogram {
    Histogram::new(ANSWER)
}

impl Process {
    /// Makes all of them known.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Which coordinator this is", version);
        let process = Self {
            answers: Family::new_with_constructor(answer_times),
            readers: Gauge::default(),
            replayed: Counter::default(),
            log_bytes: Counter::default(),
            refused: Counter::default(),
            broker: Family::default(),
            reclaimable: Family::default(),
            notified: Family::default(),
            not_notified: Family::default(),
            database: Gauge::default(),
            in_use: Gauge::default(),
            limit: Gauge::default(),
        };
        process.register_traffic(registry);
        process.register_connections(registry);
        process.register_notifications(registry);
        process
    }

    fn register_traffic(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "http_request_duration",
            "Time until the head of an answer, by route",
            Unit::Seconds,
            self.answers.clone(),
        );
        registry.register("sse_clients", "Readers of the event stream", self.readers.clone());
        registry.register(
            "sse_replayed_events",
            "Events that readers got again or late because they came back",
            self.replayed.clone(),
        );
        registry.register_with_unit(
            "log",
            "Text of log lines taken in from agents",
            Unit::Bytes,
            self.log_bytes.clone(),
        );
        registry.register(
            "refused_messages",
            "Messages of agents that were refused",
            self.refused.clone(),
        );
        registry.register_with_unit(
            "gc_reclaimable",
            "What the next collection would take, looked at now and then",
            Unit::Bytes,
            self.reclaimable.clone(),
        );
    }

    fn register_connections(&self, registry: &mut Registry) {
        registry.register(
            "broker_up",
            "Whether this session with the broker stands",
            self.broker.clone(),
        );
        registry.register(
            "database_up",
            "Whether the database answered this look",
            self.database.clone(),
        );
        registry.register(
            "db_pool_in_use",
            "Connections to the database that are at work",
            self.in_use.clone(),
        );
        registry.register(
            "db_pool_limit",
            "Connections to the database at most",
            self.limit.clone(),
        );
    }

    fn register_notifications(&self, registry: &mut Registry) {
        for kind in RECEIVERS {
            drop(self.notified.get_or_create(&Receiver { kind }));
            drop(self.not_notified.get_or_create(&Receiver { kind }));
        }
        registry.register(
            "webhook_deliveries",
            "Notifications that a receiver took, by kind of channel",
            self.notified.clone(),
        );
        registry.register(
            "webhook_failures",
            "Tries to send a notification that failed, by kind of channel",
            self.not_notified.clone(),
        );
    }

    /// A notification was sent, or not.
    pub fn notified(&self, kind: &'static str, taken: bool) {
        let family = if taken { &self.notified } else { &self.not_notified };
        family.get_or_create(&Receiver { kind }).inc();
    }

    /// An answer was given. A request that met no route has none.
    pub fn answered(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let labels = Answered {
            method: known(method),
            route: route.unwrap_or("none").to_owned(),
            status: class(status),
        };
        self.answers.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Somebody reads the event stream, until the returned guard is gone.
    pub fn reader(&self) -> Reader {
        self.readers.inc();
        Reader(self.readers.clone())
    }

    /// Events were read again.
    pub fn replayed(&self, events: usize) {
        self.replayed.inc_by(u64::try_from(events).unwrap_or_default());
    }

    /// Lines were taken in.
    pub fn took_lines(&self, bytes: u64) {
        self.log_bytes.inc_by(bytes);
    }

    /// A message was refused.
    pub fn refused(&self) {
        self.refused.inc();
    }

    /// This process keeps such a session, which does not stand yet.
    pub fn expect_broker(&self, session: &'static str) {
        self.broker.get_or_create(&Session { session }).set(0);
    }

    /// The session stands until the returned guard is gone.
    pub fn broker_up(&self, session: &'static str) -> BrokerSession {
        let gauge = self.broker.get_or_create_owned(&Session { session });
        gauge.set(1);
        BrokerSession(gauge)
    }

    /// A dry run found this.
    pub fn found_garbage(&self, found: &Found) {
        self.reclaimable.clear();
        let add = |project: &dyn ToString, place, bytes| {
            let project = project.to_string();
            let labels = Garbage { project, place };
            self.reclaimable.get_or_create(&labels).inc_by(bytes);
        };
        for item in &found.items {
            add(
                &item.target.project,
                "hosts",
                if item.goes() { item.bytes } else { 0 },
            );
        }
        for release in &found.pruned {
            add(&release.project, "store", release.bytes);
        }
    }

    /// What is true right now.
    pub(super) fn look_at(&self, store: &Store, database: bool) {
        let connections = store.connections();
        self.database.set(i64::from(database));
        self.in_use.set(i64::from(connections.in_use));
        self.limit.set(i64::from(connections.limit));
    }
}

/// A reader of the event stream.
#[derive(Debug)]
pub struct Reader(Gauge);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A session with the broker that stands.
#[derive(Debug)]
pub struct BrokerSession(Gauge);

impl Drop for BrokerSession {
    fn drop(&mut self) {
        self.0.set(0);
    }
}

/// Strangers may invent methods; series are not made of them.
fn known(method: &Method) -> &'static str {
    [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::DELETE, "DELETE"),
        (Method::HEAD, "HEAD"),
    ]
    .into_iter()
    .find_map(|(known, name)| (known == *method).then_some(name))
    .unwrap_or("other")
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        0..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
