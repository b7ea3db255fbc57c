//! What can go wrong between us and the broker.

/// A failure at the broker's edge.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The configured address cannot be used.
    #[error("broker.url cannot be used: {what}")]
    Address {
        /// What is wrong with it.
        what: String,
    },
    /// The broker cannot be reached, or closed the connection or channel.
    #[error("the broker failed while {what}")]
    Amqp {
        /// What was being done.
        what: &'static str,
        /// The cause.
        #[source]
        source: Box<lapin::Error>,
    },
    /// A consumer's stream ended: its queue was deleted, or the connection is gone.
    #[error("the broker ended the consumer of {queue}")]
    ConsumerEnded {
        /// The queue.
        queue: String,
    },
    /// The management API cannot be reached.
    #[error("the management API failed while {what}")]
    Management {
        /// What was being done.
        what: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The management API refused.
    #[error("the management API answered {status} while {what}: {answer}")]
    ManagementRefused {
        /// What was being done.
        what: String,
        /// HTTP status.
        status: u16,
        /// The answer, cut.
        answer: String,
    },
    /// Queues were declared and have no leader.
    #[error("these queues have no leader after {seconds} s: {queues}")]
    NoLeader {
        /// Their names.
        queues: String,
        /// How long they were waited for.
        seconds: u64,
    },
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] pointsman_store::StoreError),
    /// The database was away for too long to keep deliveries.
    #[error("the database has been away for {minutes} min; the consumer is closed until it answers")]
    DatabaseAway {
        /// How long.
        minutes: u64,
    },
}

impl BrokerError {
    /// Names what was being done when lapin failed.
    pub(super) fn amqp(what: &'static str) -> impl Fn(lapin::Error) -> Self {
        move |source| Self::Amqp {
            what,
            source: Box::new(source),
        }
    }
}

/// Result at the broker's edge.
pub type BrokerResult<T> = Result<T, BrokerError>;
