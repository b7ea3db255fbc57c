//! Jobs, agents and the broker: a coordinator's real roles against PostgreSQL and RabbitMQ, and agents that speak the
//! real messages over the broker with their own users and rights.

mod agent;
mod broker;
mod cancelling;
mod duplicates;
mod hostile;
mod instances;
mod journey;
mod leases;
mod offers;
mod world;
