//! Tables against a real PostgreSQL.

mod database;
mod good_releases;
