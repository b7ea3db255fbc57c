//! Logs in the dashboard: a window on a log of any length, and the search through all of it.
//!
//! A page holds the lines around one place. Where scripts run the window asks for others as one scrolls; without them
//! there are pages. What a program wrote is shown as text and by classes that stand in the style sheet, nothing else.

pub(super) mod causes;
pub(super) mod finding;
pub(super) mod raw;
pub(super) mod rows;
pub(super) mod window;

use pointsman_domain::Refusal;

pub(super) fn unknown(number: i64) -> Refusal {
    Refusal::not_found("unknown_job", format!("there is no job #{number}"))
        .hint("the list of jobs shows which there are")
}
