//! The API as its users meet it: real HTTP, a real PostgreSQL with a fresh database per test, the development broker
//! where a host joins.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod agents;
mod ahead;
mod audit;
mod bell;
mod browser;
mod causes;
mod channels;
mod contents;
mod contract;
mod course;
mod dashboard;
mod deploy_keys;
mod doctor;
mod drawing;
mod elsewhere;
mod entering;
mod finding;
mod fleet_pages;
mod health;
mod joins;
mod keeper;
mod kept;
mod log_pages;
mod logs;
mod mail_sink;
mod metrics;
mod needing;
mod noticing;
mod notifying;
mod objects;
mod openapi;
mod openid;
mod orders;
mod pages;
mod people;
mod project_settings;
mod proxy;
mod queue;
mod receiver;
mod recipe_pages;
mod refs;
mod renewing;
mod repeats;
#[path = "../deployments/repository.rs"]
mod repository;
mod roles;
mod roles_on_pages;
mod routes;
mod seaweed;
mod settings;
mod setup;
mod spoken;
mod stores;
mod stream;
mod telling;
mod tokens;
mod traces;
mod trust;
mod two_projects;
mod webhooks;
mod world;
