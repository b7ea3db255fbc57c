//! How text is written into a page: no mark-up comes of it, and nothing that turns the words beside it around.
//!
//! Reasons that are said today are refused with such characters; those of earlier days, and what agents and forges
//! tell, are shown with a stand-in for them. Templates write a text that is edited and sent back with `e("xml")`: what
//! nobody touched must come back as it went.

use std::fmt::{Result, Write};

use askama::filters::{Escaper, Html};
use pointsman_shared::readable;

/// Every template's way to write what is between `{{` and `}}`; `askama.toml` names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readable;

impl Escaper for Readable {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> Result {
        let mut rest = text;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| readable::is_misleading(*c)) {
            Html.write_escaped_str(&mut dest, &rest[..at])?;
            dest.write_char(readable::STAND_IN)?;
            rest = &rest[at + c.len_utf8()..];
        }
        Html.write_escaped_str(dest, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_neither_mark_up_nor_turned_around() {
        for (text, written) in [
            ("größer & besser", "größer &#38; besser"),
            ("a\tb\nc", "a\tb\nc"),
            ("all is \u{202e}well\u{2069}", "all is \u{fffd}well\u{fffd}"),
            ("\u{1b}[2J<b>", "\u{fffd}[2J&#60;b&#62;"),
            ("\0", "\u{fffd}"),
            ("", ""),
        ] {
            let mut page = String::new();
            Readable.write_escaped_str(&mut page, text).unwrap();
            assert_eq!(page, written, "{text:?}");
        }
    }
}
