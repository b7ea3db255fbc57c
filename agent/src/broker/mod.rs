//! The agent's side of the broker; the only place that knows AMQP.
//!
//! ```text
//! Link        supervises one connection: connect, consume control, later jobs; when anything is odd, from scratch
//! Publisher   confirmed, mandatory publishing over whatever connection stands
//! reporter    the report spool, in order, again and again until acknowledged
//! shipper     the log spool, until the broker has it
//! ```
//!
//! Nothing is declared here: an agent's user has no right to. Nothing is decided here either.

mod connection;
mod consumer;
mod link;
mod publisher;
mod reporter;
mod session;
mod shipper;
mod trust;

pub use connection::{BrokerAddress, BrokerError, Caller};
pub use link::{Command, Delivered, Ends, Link, LinkEvent, Queue};
pub use publisher::{PublishError, Publisher};
pub use reporter::Reporter;
pub use shipper::ship_logs;

/// Reads the certificates of `broker.ca_file` without using them.
pub fn check_certificates(file: &std::path::Path) -> Result<(), BrokerError> {
    trust::Trust::read(file).map(drop)
}
