//! Characters that make a text read otherwise than it was written, beside whatever stands there.
//!
//! Subjects of commits, names of branches and the reasons of people are shown next to words of ours; none of them may
//! turn those around. This module names the characters; what becomes of them is for each place to say.

/// What stands where a misleading character stood.
pub const STAND_IN: char = char::REPLACEMENT_CHARACTER;

/// Whether the character turns the direction of the text behind it.
pub const fn is_turning(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether it is a mark of direction that keyboards put into ordinary Hebrew and Arabic. It turns no letter.
pub const fn is_mark(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
}

/// Whether the character turns direction or controls a screen; ends of lines and tabs are text.
pub fn is_misleading(c: char) -> bool {
    is_turning(c) || c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// The first misleading character of a text.
pub fn first_misleading(text: &str) -> Option<char> {
    text.chars().find(|c| is_misleading(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misleads_is_found_and_words_of_any_language_are_not() {
        for (text, found) in [
            ("the audit of June", None),
            ("größer\tals\r\nzuvor", None),
            ("\u{5d1}\u{5d3}\u{5d9}\u{5e7}\u{5d4} \u{1f680}", None),
            ("a\u{202e}b", Some('\u{202e}')),
            ("a\u{2069}b", Some('\u{2069}')),
            (
                "\u{200f}\u{5d1}\u{5d3}\u{5d9}\u{5e7}\u{5d4}!\u{200e} \u{61c}",
                None,
            ),
            ("a\u{1b}[31m", Some('\u{1b}')),
            ("a\0", Some('\0')),
            ("a\u{9b}", Some('\u{9b}')),
        ] {
            assert_eq!(first_misleading(text), found, "{text:?}");
        }
    }
}
