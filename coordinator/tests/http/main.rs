//! The API as its users meet it: real HTTP, a real PostgreSQL with a fresh database per test, the development broker
//! where a host joins.

mod agents;
mod health;
mod joins;
mod logs;
mod objects;
mod people;
mod repeats;
mod routes;
mod setup;
mod stream;
mod tokens;
mod world;
