//! The services a fleet stands on: one PostgreSQL and one RabbitMQ, private, on free loopback ports.

mod broker_settings;
mod broker_users;
mod postgres;
mod probe;
mod rabbitmq;
mod supervised;

pub use postgres::Postgres;
pub use rabbitmq::RabbitMq;
pub use supervised::Supervised;
