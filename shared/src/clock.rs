//! The clock that is passed in wherever time matters, so that tests can hold it.

use chrono::{DateTime, Utc};

/// Tells the time.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// Now, by the wall clock.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// Makes ids from the clock and the system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl crate::ids::IdSource for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that draws ids")]
    fn next(&self) -> uuid::Uuid {
        uuid::Uuid::now_v7()
    }
}
