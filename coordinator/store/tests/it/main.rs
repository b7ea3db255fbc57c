//! Tables against a real PostgreSQL.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod database;
mod good_releases;
