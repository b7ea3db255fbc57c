//! What must still be said, on disk: reports until a coordinator has stored them, log chunks until the broker has them.
//!
//! Reports are never dropped: they carry results. Logs are capped: the oldest lines give way and a gap says so. Nothing
//! here sends anything.

mod logs;
mod reports;

pub use logs::LogSpool;
pub use reports::{ReportSpool, SpoolError, StoredReport};
