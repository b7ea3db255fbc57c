//! The broker edge: the only place that knows AMQP and the management API. It carries; it decides nothing.

pub mod alarms;
mod connection;
mod dead_letters;
pub mod definitions;
pub mod enrolment;
mod error;
pub mod hearing;
mod incoming;
pub mod intake;
mod lane;
mod management;
mod publisher;
pub mod relay;
pub mod topology;
mod trust;
pub mod watch;

pub use error::BrokerError;

/// Reads the certificates of `broker.ca_file`, if it is set, without using them.
pub fn check_certificates(broker: &crate::config::Broker) -> Result<(), BrokerError> {
    broker
        .ca_file
        .as_deref()
        .map(trust::Trust::read)
        .transpose()
        .map(drop)
}
