//! Messages that were refused: what came, when, from where, and why nothing was done. What a message held is shown only
//! so far that one sees what it was.

use askama::Template;
use pointsman_store::views::job_queue::{self, DeadLetter};
use serde::Deserialize;

use super::super::extract::Query;
use super::super::problem::Answer;
use super::format;
use super::shown::{Place, Shown};
use super::viewer::Viewer;

/// Rows of a page.
const ROWS: i64 = 100;
/// Letters and digits in a row that may be a secret.
const LONG: usize = 12;
/// What stands for them.
const HIDDEN: &str = "•••";

/// `?before=120`
#[derive(Debug, Deserialize)]
pub(super) struct Before {
    #[serde(default)]
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct List<'a> {
    rows: Vec<(&'a DeadLetter, String)>,
    next: Option<i64>,
}

/// `GET /jobs/dead`
pub(super) async fn list(viewer: Viewer, Query(query): Query<Before>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let mut letters = job_queue::dead_letters(&mut conn, query.before, ROWS + 1).await?;
    let more = letters.len() > usize::try_from(ROWS).unwrap_or_default();
    letters.truncate(usize::try_from(ROWS).unwrap_or_default());
    for letter in &mut letters {
        letter.sample = redacted(&letter.sample);
    }
    let size = |letter: &DeadLetter| format::bytes(u64::try_from(letter.bytes).unwrap_or_default());
    let list = List {
        rows: letters.iter().map(|letter| (letter, size(letter))).collect(),
        next: letters.last().filter(|_| more).map(|last| last.number),
    };
    Ok(Shown::new("Dead letters", Place::Jobs, &letters)?
        .with("dead", &list)?
        .like("pointsman audit"))
}

/// A text without what may be a secret: long runs of letters and digits that hold a digit, and what follows a word
/// that says secret.
fn redacted(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
    let mut shown = String::new();
    let mut hide_next = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_part(c) != is_part(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        if !is_part(first) {
            shown.push_str(run);
            continue;
        }
        let long = run.len() >= LONG && run.bytes().any(|byte| byte.is_ascii_digit());
        shown.push_str(if long || hide_next { HIDDEN } else { run });
        let lower = run.to_ascii_lowercase();
        hide_next = ["secret", "token", "password", "key"]
            .iter()
            .any(|word| lower.ends_with(word));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let told = redacted(
            r#"{"v":1,"kind":"claim","host":"web-1","token":"hunter","sig":"c2lnbmF0dXJlMTIz","password": "x"}"#,
        );
        assert_eq!(
            told,
            r#"{"v":1,"kind":"claim","host":"web-1","token":"•••","sig":"•••","password": "•••"}"#
        );
    }
}
