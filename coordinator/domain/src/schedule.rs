//! When something happens: five-field cron expressions, in UTC.

use chrono::{DateTime, Utc};
use croner::Cron;
use pointsman_shared::name::ProjectName;

use crate::refusal::Refusal;

/// Nightly, at a minute that differs between projects, so that not all begin at once.
pub fn nightly(project: &ProjectName) -> String {
    let sum: u32 = project.as_str().bytes().map(u32::from).sum();
    format!("{} 3 * * *", sum % 60)
}

/// The first time after `now` that `expression` names.
pub fn next(expression: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let refuse = |why: String| {
        Refusal::invalid("invalid_schedule", format!("{expression:?} names no time: {why}"))
            .hint("write five fields, such as \"0 3 * * *\" for every night at 3 UTC")
    };
    if expression.split_whitespace().count() != 5 {
        return Err(refuse("it needs five fields".to_owned()));
    }
    let cron: Cron = expression
        .parse()
        .map_err(|error: croner::errors::CronError| refuse(error.to_string()))?;
    cron.find_next_occurrence(&now, false)
        .map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_after_now_and_in_utc() {
        let now: DateTime<Utc> = "2026-11-28T03:00:00Z".parse().unwrap();
        let at = |expression| next(expression, now).map(|at| at.format("%F %H:%M").to_string());
        assert_eq!(at("0 3 * * *").as_deref(), Ok("2026-11-29 03:00"));
        assert_eq!(at("*/15 * * * *").as_deref(), Ok("2026-11-28 03:15"));
        assert_eq!(at("0 4 1 * *").as_deref(), Ok("2026-12-01 04:00"));
        for wrong in ["", "nightly", "61 3 * * *", "0 0 3 * * *", "0 3 * *"] {
            assert_eq!(
                next(wrong, now).map_err(|error| error.code),
                Err("invalid_schedule"),
                "{wrong}"
            );
        }
        assert!(next(&nightly(&"shop".parse().unwrap()), now).is_ok());
    }
}
