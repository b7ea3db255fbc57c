//! Tables against a real PostgreSQL.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod database;
mod deployments;
mod good_releases;
mod matrix;
mod rows;
mod waits;
mod work;
