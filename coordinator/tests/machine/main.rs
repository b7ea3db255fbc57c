//! Jobs, agents and the broker: a coordinator's real roles against PostgreSQL and RabbitMQ, and agents that speak the
//! real messages over the broker with their own users and rights.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on ends there, and waits for one message among many"
)]

mod agent;
mod broker;
mod cancelling;
mod database;
mod duplicates;
mod hostile;
mod instances;
mod journey;
mod leases;
mod offers;
mod queue;
mod services;
mod starting;
mod work;
mod world;
