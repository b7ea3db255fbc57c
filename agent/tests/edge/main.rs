//! The edge of the agent: the real program over a real broker, talking to a small coordinator that lives in the test
//! and speaks the real messages.
//!
//! The broker comes from `POINTSMAN_TEST_AMQP_URL` and `POINTSMAN_TEST_AMQP_ADMIN`; each test has a vhost of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says where and stops"
)]

mod agent;
mod broker;
mod endings;
mod http;
mod intruders;
mod jobs;
mod journey;
mod neighbour;
mod silence;
mod tracing;
