//! A text of unknown origin, without what may be a secret: more is hidden than need be, never less than is plain.

/// Letters and digits in a row that may be a secret.
const LONG: usize = 12;
/// What stands for them.
const HIDDEN: &str = "•••";

/// A text without what may be a secret: long runs of letters and digits that hold a digit, and what follows a word
/// that says secret.
pub fn redacted(text: &str) -> String {
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
