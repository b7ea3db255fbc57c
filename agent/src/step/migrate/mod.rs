//! Migrations of a project's own database: once, in order, and where one fails, none after it.
//!
//! ```text
//! work        the job: what it may still call off, what it tells
//! scripts     the release's scripts, as its manifest has them
//! sql         the built-in runner for PostgreSQL
//!   session   one connection under the ledger's lock
//!   ledger    its rows
//!   statements  a script outside a transaction, one statement at a time
//! commands    the project's own tool
//! ```
//!
//! Whether a migration is applied, the ledger alone says: `pointsman_migrations` in the project's database, written in
//! the migration's own transaction, or whatever record the project's tool keeps. A lost connection, a killed agent or a
//! lost lease therefore never leaves a guess, only a question that a `list` answers. A lease that runs out does not stop
//! a migration that was begun: half of one is worse than one that nobody watches.
//!
//! It never retries, and it never decides what became of a migration whose end nobody saw.

mod commands;
mod scripts;
mod sql;
mod work;

pub use work::MigrateWork;
