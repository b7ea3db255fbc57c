//! What can go wrong between us and the broker.

use std::path::PathBuf;

use pointsman_shared::certificate;

/// A failure at the broker's edge.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The configured address cannot be used.
    #[error("broker.url cannot be used: {what}")]
    Address {
        /// What is wrong with it.
        what: String,
    },
    /// The certificates to trust cannot be used.
    #[error("broker.ca_file: {} cannot be used: {why}", file.display())]
    Certificates {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The broker cannot be reached, or closed the connection or channel.
    #[error("the broker failed while {what}{}", advice(source))]
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
    #[error("the management API failed while {what}{}", advice(source))]
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

/// What to do about a failure, where more is known than its cause says.
fn advice(source: &(dyn std::error::Error + 'static)) -> String {
    certificate::advice(&words(source), "broker.ca_file")
        .map(|advice| format!("; {advice}"))
        .unwrap_or_default()
}

/// An error and its causes on one line; a cause that only repeats what its effect said is left out.
pub(super) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !words.ends_with(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = inner.source();
    }
    words
}

/// Result at the broker's edge.
pub type BrokerResult<T> = Result<T, BrokerError>;
