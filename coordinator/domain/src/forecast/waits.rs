//! Time in which a deployment waited for a person to decide: it tells nothing of how long the work takes.

use chrono::{DateTime, Utc};

/// One wait of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// When it began.
    pub from: DateTime<Utc>,
    /// When somebody decided, or it ended; none while it waits.
    pub to: Option<DateTime<Utc>>,
}

/// How much of a span was waited, in milliseconds. Waits of one deployment follow each other.
pub fn within(waits: &[Wait], from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
    let part = |wait: &Wait| {
        let over = wait.to.map_or(to, |over| over.min(to));
        let waited = over - wait.from.max(from);
        u64::try_from(waited.num_milliseconds()).unwrap_or_default()
    };
    waits.iter().map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_within_counts_and_what_goes_on_counts_until_the_end() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let wait = |from, to: Option<i64>| Wait {
            from: at(from),
            to: to.map(at),
        };
        let waits = [wait(10, Some(20)), wait(30, Some(35)), wait(50, None)];
        let waited = |from, to| within(&waits, at(from), at(to));
        assert_eq!(waited(0, 9), 0);
        assert_eq!(waited(0, 40), 15_000);
        assert_eq!(waited(15, 32), 7_000);
        assert_eq!(waited(12, 13), 1_000);
        assert_eq!(waited(45, 60), 10_000);
    }
}
