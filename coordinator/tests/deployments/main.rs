//! Deployments from the wish to the outcome: real PostgreSQL, real git, the operations as they are, and agents that say
//! what agents say. No broker: what the relay would carry is read from the database.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod agent;
mod answering;
mod building;
mod cancelling;
mod collecting;
#[path = "../../store/tests/it/database.rs"]
mod database;
mod draining;
mod failing;
mod forge;
mod going_live;
mod intervening;
mod leaving;
mod locking;
mod measuring;
mod migrating;
mod pausing;
mod planning;
mod promoting;
mod pushing;
mod recipes;
mod repository;
mod returning;
mod rolling_back;
mod roots;
mod scheduling;
mod telling;
mod wishes;
mod working;
mod world;
