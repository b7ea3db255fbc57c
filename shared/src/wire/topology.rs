//! Exchanges, queues and what every connection to the broker has in common, as data (protocol.md 4). No other place in
//! the tree holds their names.

use super::from_agent::ReportKey;
use crate::ids::StreamId;
use crate::name::{HostId, PoolName};

/// How an exchange routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeKind {
    /// By equal key.
    Direct,
    /// By pattern.
    Topic,
    /// To all.
    Fanout,
}

impl ExchangeKind {
    /// The broker's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Topic => "topic",
            Self::Fanout => "fanout",
        }
    }
}

/// A durable exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: &'static str,
    /// How it routes.
    pub kind: ExchangeKind,
}

/// Offers.
pub const JOBS: Exchange = Exchange {
    name: "jobs",
    kind: ExchangeKind::Direct,
};
/// Everything else a coordinator says.
pub const CONTROL: Exchange = Exchange {
    name: "control",
    kind: ExchangeKind::Direct,
};
/// Everything an agent says.
pub const REPORTS: Exchange = Exchange {
    name: "reports",
    kind: ExchangeKind::Topic,
};
/// Log chunks.
pub const LOGS: Exchange = Exchange {
    name: "logs",
    kind: ExchangeKind::Topic,
};
/// What could not be delivered or read.
pub const DLX: Exchange = Exchange {
    name: "dlx",
    kind: ExchangeKind::Fanout,
};

/// Every exchange.
pub const EXCHANGES: [Exchange; 5] = [JOBS, CONTROL, REPORTS, LOGS, DLX];

/// Queue of reports.
pub const COORDINATOR_REPORTS: &str = "coordinator.reports";
/// Queue of log chunks.
pub const COORDINATOR_LOGS: &str = "coordinator.logs";
/// Queue of dead letters.
pub const DEAD: &str = "dead";

/// The virtual host where the broker's URL names none.
pub const DEFAULT_VHOST: &str = "pointsman";
/// Bytes of a frame: buffers of the default size cost 8 MB a connection; larger messages are split.
pub const FRAME_MAX: u32 = 16 * 1024;
/// Seconds between signs of life: a half-open connection is noticed within two.
pub const HEARTBEAT_S: u16 = 5;

/// Whether a broker's URL names its virtual host.
pub fn names_vhost(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| url.path().len() > 1)
}

/// Queue that coordinators publish into to learn whether the broker confirms at all; nobody reads it.
pub const COORDINATOR_PROBE: &str = "coordinator.probe";

/// A durable queue with its arguments and its binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Arguments of its declaration.
    pub arguments: Vec<(&'static str, Argument)>,
    /// The exchange and key it is bound with.
    pub binding: (Exchange, String),
}

/// A queue argument's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// A text.
    Text(&'static str),
    /// A number.
    Number(i32),
    /// A truth value.
    Flag(bool),
}

const QUORUM: (&str, Argument) = ("x-queue-type", Argument::Text("quorum"));
const DEAD_LETTER: (&str, Argument) = ("x-dead-letter-exchange", Argument::Text(DLX.name));
const SINGLE_CONSUMER: (&str, Argument) = ("x-single-active-consumer", Argument::Flag(true));
/// Guards against offers that crash their reader; attempts are counted in PostgreSQL.
const DELIVERY_LIMIT: (&str, Argument) = ("x-delivery-limit", Argument::Number(5));

/// No limit: what waits in these queues is asked for again until it is acknowledged, and who reads them may die often.
/// A number that no count reaches, because a queue that says nothing has a limit of 20 from RabbitMQ 4 on, and the -1
/// that means "none" there is refused by RabbitMQ 3.
const NO_DELIVERY_LIMIT: (&str, Argument) = ("x-delivery-limit", Argument::Number(i32::MAX));

/// Name of a host's job queue; also its routing key.
pub fn host_jobs(host: &HostId) -> String {
    format!("host.{host}.jobs")
}

/// Name of a host's control queue; also its routing key.
pub fn host_control(host: &HostId) -> String {
    format!("host.{host}.control")
}

/// Name of a pool's job queue; also its routing key.
pub fn pool_jobs(pool: &PoolName) -> String {
    format!("pool.{pool}.jobs")
}

/// Whether a queue of this name holds offers.
pub fn holds_offers(queue: &str) -> bool {
    queue.split('.').next_back() == Some("jobs")
}

/// The key a host's report travels under.
pub fn report_key(host: &HostId, key: ReportKey) -> String {
    format!("{host}.{}", key.as_str())
}

/// The key a host's log chunk travels under; it names the stream, not the job.
pub fn log_key(host: &HostId, stream: StreamId) -> String {
    format!("{host}.{stream}")
}

/// The queues of one host.
pub fn host_queues(host: &HostId) -> [Queue; 2] {
    [
        Queue {
            name: host_jobs(host),
            arguments: vec![QUORUM, DEAD_LETTER, SINGLE_CONSUMER, DELIVERY_LIMIT],
            binding: (JOBS, host_jobs(host)),
        },
        Queue {
            name: host_control(host),
            arguments: vec![QUORUM, DEAD_LETTER, SINGLE_CONSUMER, NO_DELIVERY_LIMIT],
            binding: (CONTROL, host_control(host)),
        },
    ]
}

/// The queue of one pool.
pub fn pool_queue(pool: &PoolName) -> Queue {
    Queue {
        name: pool_jobs(pool),
        arguments: vec![QUORUM, DEAD_LETTER, DELIVERY_LIMIT],
        binding: (JOBS, pool_jobs(pool)),
    }
}

/// The coordinators' own queues.
pub fn coordinator_queues() -> [Queue; 4] {
    [
        Queue {
            name: COORDINATOR_REPORTS.to_owned(),
            arguments: vec![QUORUM, DEAD_LETTER, NO_DELIVERY_LIMIT],
            binding: (REPORTS, "#".to_owned()),
        },
        Queue {
            name: COORDINATOR_LOGS.to_owned(),
            arguments: vec![QUORUM, DEAD_LETTER, NO_DELIVERY_LIMIT],
            binding: (LOGS, "#".to_owned()),
        },
        Queue {
            name: DEAD.to_owned(),
            arguments: vec![QUORUM, NO_DELIVERY_LIMIT],
            binding: (DLX, String::new()),
        },
        Queue {
            name: COORDINATOR_PROBE.to_owned(),
            arguments: vec![QUORUM, NO_DELIVERY_LIMIT, ("x-max-length", Argument::Number(1))],
            binding: (CONTROL, COORDINATOR_PROBE.to_owned()),
        },
    ]
}
