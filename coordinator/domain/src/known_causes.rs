//! Known causes: patterns that tell people what a line of a failed log means.
//!
//! The first cause in order that fits a line is its cause, and each cause is told once, at its last line: what ended a
//! job stands near its end. Patterns are regular expressions whose search takes time in proportion to their size and to the
//! line; both are kept small, so that nobody's pattern can hold up a page.

use pointsman_shared::api::causes::{Cause, NewCause};
use pointsman_shared::api::jobs::NumberedLine;
use regex::{RegexSet, RegexSetBuilder};

use crate::refusal::Refusal;
use crate::terminal;

/// Length of each text of a cause at most.
const LONGEST: usize = 500;
/// Characters of a line that are looked at.
const LOOKED_AT: usize = 1000;
/// Size of a compiled pattern at most, in bytes.
const COMPILED: usize = 64 * 1024;
/// Size of all of them.
const ALL_COMPILED: usize = 16 * 1024 * 1024;

/// Refuses a cause that could not be kept, or could fit nothing.
pub fn judge(wish: &NewCause) -> Result<(), Refusal> {
    let invalid =
        |what: String, hint: &str| Err(Refusal::invalid("invalid_cause", what).hint(hint.to_owned()));
    let action = wish.action.as_deref();
    for (name, text) in [
        ("pattern", Some(wish.pattern.as_str())),
        ("sentence", Some(&wish.sentence)),
        ("action", action),
    ] {
        let Some(text) = text else { continue };
        if text.trim().is_empty() || text.chars().count() > LONGEST || text.contains(['\0', '\n']) {
            let what = format!("the {name} is empty, longer than {LONGEST} characters, or of several lines");
            return invalid(what, "one line each: pattern, sentence, and what to do");
        }
    }
    match set([wish.pattern.as_str()], COMPILED) {
        Err(error) => invalid(
            format!("the pattern is no regular expression: {error}"),
            "letters match themselves; . * [ ( need a \\ before them",
        ),
        Ok(set) if set.is_match("") => invalid(
            format!("the pattern {:?} fits every line", wish.pattern),
            "name what stands in the line that tells of the cause",
        ),
        Ok(_) => Ok(()),
    }
}

fn set<'a>(patterns: impl IntoIterator<Item = &'a str>, size: usize) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(patterns)
        .case_insensitive(true)
        .size_limit(size)
        .build()
}

/// Known causes, ready to be looked for.
#[derive(Debug, Default)]
pub struct KnownCauses {
    causes: Vec<Cause>,
    set: Option<RegexSet>,
}

impl KnownCauses {
    /// Makes them ready; one whose pattern is none any more is left out.
    pub fn new(causes: Vec<Cause>) -> Self {
        let sound = |cause: &Cause| set([cause.pattern.as_str()], COMPILED).is_ok();
        let causes: Vec<Cause> = causes.into_iter().filter(sound).collect();
        let set = set(causes.iter().map(|cause| cause.pattern.as_str()), ALL_COMPILED).ok();
        Self { causes, set }
    }

    /// The cause of a line.
    pub fn of(&self, text: &str) -> Option<&Cause> {
        let end = text
            .char_indices()
            .nth(LOOKED_AT)
            .map_or(text.len(), |(at, _)| at);
        let plain = terminal::plain(text.get(..end).unwrap_or(text));
        let first = self.set.as_ref()?.matches(&plain).iter().next()?;
        self.causes.get(first)
    }

    /// Causes among lines, each once with its last line, the last of them first.
    pub fn among<'a>(&self, lines: impl DoubleEndedIterator<Item = &'a NumberedLine>) -> Vec<(u64, Cause)> {
        let mut found: Vec<(u64, Cause)> = Vec::new();
        for line in lines.rev().filter(|line| line.gap == 0) {
            if let Some(cause) = self.of(&line.text)
                && !found.iter().any(|(_, known)| known.number == cause.number)
            {
                found.push((line.line, cause.clone()));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use pointsman_shared::wire::logs::LogSource;
    use proptest::prelude::*;

    use super::*;

    fn cause(number: i64, pattern: &str) -> Cause {
        Cause {
            number,
            pattern: pattern.to_owned(),
            sentence: "It broke.".to_owned(),
            action: None,
            created_by: None,
            changed_at: DateTime::UNIX_EPOCH,
        }
    }

    fn line(line: u64, text: &str) -> NumberedLine {
        NumberedLine {
            line,
            at: DateTime::UNIX_EPOCH,
            stage: String::new(),
            source: LogSource::Err,
            text: text.to_owned(),
            gap: 0,
        }
    }

    #[test]
    fn each_cause_is_told_once_at_its_last_line() {
        let known = KnownCauses::new(vec![
            cause(1, "no space left|ENOSPC"),
            cause(2, "error"),
            cause(3, "broken ("),
            cause(4, "x"),
        ]);
        let lines = [
            line(1, "error: No Space Left on device"),
            line(2, "\u{1b}[31menospc\u{1b}[0m"),
            line(3, "an error"),
            line(4, "fine"),
        ];
        let found: Vec<_> = known
            .among(lines.iter())
            .into_iter()
            .map(|(line, cause)| (line, cause.number))
            .collect();
        assert_eq!(found, [(3, 2), (2, 1)]);
        assert_eq!(KnownCauses::default().among(lines.iter()), []);
    }

    #[test]
    fn what_fits_everything_or_nothing_is_refused() {
        let wish = |pattern: &str, sentence: &str, action: Option<&str>| NewCause {
            pattern: pattern.to_owned(),
            sentence: sentence.to_owned(),
            action: action.map(ToOwned::to_owned),
        };
        let long = "x".repeat(501);
        let big = format!("({}){{1000}}", "[a-z]".repeat(80));
        for wrong in [
            wish("", "x", None),
            wish(" ", "x", None),
            wish("a(", "x", None),
            wish("a*", "x", None),
            wish(&big, "x", None),
            wish("a", "", None),
            wish("a", "x", Some("")),
            wish("a", "x\ny", None),
            wish(&long, "x", None),
        ] {
            assert_eq!(judge(&wrong).unwrap_err().code, "invalid_cause", "{wrong:?}");
        }
        judge(&wish(
            "no space left|ENOSPC",
            "The disk is full.",
            Some("pointsman gc run"),
        ))
        .unwrap();
    }

    proptest! {
        #[test]
        fn no_line_and_no_pattern_breaks_it(pattern in "\\PC{0,20}", text in "[\\x00-\\x7f\u{e4}]{0,60}") {
            let known = KnownCauses::new(vec![cause(1, &pattern)]);
            known.of(&text);
        }
    }
}
