//! Why somebody wishes something, in their own words, which others read beside words of ours.
//!
//! This module refuses to repair: a reason is kept as it was said, or the wish is refused.

use pointsman_shared::readable;

use crate::refusal::Refusal;

/// Longest reason where one must be given, in characters.
const LONGEST: usize = 500;

/// Judges a text that may be left out; `field` is its name in the wish.
pub fn judge(field: &str, text: Option<&str>) -> Result<(), Refusal> {
    let Some(c) = text.and_then(readable::first_misleading) else {
        return Ok(());
    };
    let does = if readable::is_turning(c) {
        "turns the direction of text"
    } else {
        "is no text but a control character"
    };
    let what = format!("the field {field} holds U+{:04X}, which {does}", u32::from(c));
    Err(Refusal::invalid("invalid_reason", what).hint(format!("write the {field} without this character")))
}

/// Judges the reason of what is refused without one: a lock, a pause.
pub fn judge_needed(thing: &str, reason: &str) -> Result<(), Refusal> {
    let length = reason.trim().chars().count();
    if length == 0 || length > LONGEST {
        let what = format!("a {thing} needs a reason of at most {LONGEST} characters");
        let hint = match length {
            0 => "say why, for those who are refused".to_owned(),
            _ => format!("it has {length}: say it shorter"),
        };
        return Err(Refusal::invalid("invalid_reason", what).hint(hint));
    }
    judge("reason", Some(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_would_turn_the_text_around_it_is_refused_by_name() {
        let refusal = judge("reason", Some("all is \u{202e}well")).unwrap_err();
        assert_eq!(refusal.code, "invalid_reason");
        assert_eq!(
            refusal.what,
            "the field reason holds U+202E, which turns the direction of text"
        );
        assert_eq!(
            refusal.hint.as_deref(),
            Some("write the reason without this character")
        );
        let refusal = judge("note", Some("\u{1b}[2J")).unwrap_err();
        assert_eq!(
            refusal.what,
            "the field note holds U+001B, which is no text but a control character"
        );
    }

    #[test]
    fn other_words_are_taken_as_they_are() {
        assert_eq!(judge("reason", None), Ok(()));
        assert_eq!(judge("reason", Some("größer als zuvor\nund schneller")), Ok(()));
        assert_eq!(judge_needed("lock", "the audit"), Ok(()));
    }

    #[test]
    fn a_lock_says_why_and_not_at_length() {
        for reason in ["", " \n", &"a".repeat(501), "\u{2066}a"] {
            assert!(judge_needed("lock", reason).is_err(), "{reason:?}");
        }
    }
}
