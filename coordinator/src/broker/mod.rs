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
pub mod watch;

pub use error::BrokerError;
