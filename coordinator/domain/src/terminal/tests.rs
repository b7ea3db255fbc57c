//! What is written for a terminal, and what is made of it; whatever comes, nothing but text.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// `red>text<` for text in colour 1, `text` for plain text.
fn told(text: &str) -> String {
    let pieces = pieces(text).into_iter();
    pieces.fold(String::new(), |told, piece| {
        let mut look = String::new();
        if let Some(fore) = piece.style.fore {
            write!(look, "f{}", fore.number()).unwrap();
        }
        if let Some(back) = piece.style.back {
            write!(look, "b{}", back.number()).unwrap();
        }
        for emphasis in Emphasis::ALL {
            if piece.style.has(emphasis) {
                write!(look, "{emphasis:?}").unwrap();
            }
        }
        if let Some(link) = piece.link {
            write!(look, "({link})").unwrap();
        }
        match look.as_str() {
            "" => told + &piece.text,
            look => told + look + "<" + &piece.text + ">",
        }
    })
}

#[test]
fn colours_returns_and_links_are_understood_and_the_rest_is_dropped() {
    let table = [
        ("plain", "plain"),
        ("", ""),
        (
            "\x1b[31mred\x1b[0m and \x1b[1;92mgood\x1b[m",
            "f1<red> and f10Bold<good>",
        ),
        (
            "\x1b[38;5;9ma\x1b[38;5;196mb\x1b[38;5;244mc\x1b[48;5;21md",
            "f9<ab>f8<c>f8b12<d>",
        ),
        (
            "\x1b[38;2;200;30;30ma\x1b[38:2::0:200:0mb\x1b[39mc",
            "f1<a>f2<b>c",
        ),
        (
            "\x1b[2;3;4;9mx\x1b[22;23;24;29my\x1b[7mz\x1b[27m",
            "DimItalicUnderlineStruck<x>yInverse<z>",
        ),
        ("\x1b[38;5mx\x1b[999;mz", "xz"),
        (" 10 %\r 50 %\r100 %", "100 %"),
        ("done\r", "done"),
        ("a\tb\x07\x08\x00c", "a\tbc"),
        ("\x1b[2K\x1b[1Aup\x1b[?25l\x1b(B\x1bMdown", "updown"),
        ("\x1b]0;title\x07text\x1b]2;other\x1b\\", "text"),
        (
            "\x1b]8;;https://a.example/x?y=1;z\x1b\\here\x1b]8;;\x1b\\ there",
            "(https://a.example/x?y=1;z)<here> there",
        ),
        ("\x1b]8;;javascript:alert(1)\x07here\x1b]8;;\x07", "here"),
        ("\x1b]8;;HTTPS://a.example/\u{e9}\x07here", "here"),
        ("\x1bPq#0\x1b\\text\x1b_payload\x1b\\", "text"),
        ("</script><b>&amp;\"'", "</script><b>&amp;\"'"),
        ("a\u{202e}b\u{2066}c\u{200f}", "a[U+202E]b[U+2066]c[U+200F]"),
        (
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{fffd}",
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{fffd}",
        ),
        ("\u{9b}31mx", "31mx"),
    ];
    for (written, wanted) in table {
        assert_eq!(told(written), wanted, "{written:?}");
    }
}

#[test]
fn a_line_of_colours_has_an_end() {
    let many = "\x1b[31mx\x1b[32mx".repeat(2500);
    let pieces = pieces(&many);
    assert_eq!(pieces.len(), MOST_PIECES);
    assert_eq!(pieces.iter().map(|piece| piece.text.len()).sum::<usize>(), 5000);
}

proptest! {
    #[test]
    fn nothing_comes_out_but_text(text in "[\\x00-\\x7f\u{80}-\u{a0}\u{200e}\u{202e}\u{5d0}\u{1f600}]{0,80}") {
        for piece in pieces(&text) {
            prop_assert!(!piece.text.is_empty());
            prop_assert!(piece.text.chars().all(|c| c == '\t' || (!c.is_control() && !is_unruly(c))), "{piece:?}");
            if let Some(link) = piece.link {
                prop_assert!(link.to_ascii_lowercase().starts_with("http"));
            }
        }
    }

    #[test]
    fn text_survives_between_sequences(
        parts in proptest::collection::vec(("[ -~\u{e4}\u{5d0}]{0,12}", "(\\x1b\\[[0-9;]{0,8}[mKAh]|\\x1b\\]8;;https://x\\.example/\\x07|)"), 0..12),
    ) {
        let written: String = parts.iter().flat_map(|(text, control)| [text.as_str(), control]).collect();
        let wanted: String = parts.iter().map(|(text, _)| text.as_str()).collect();
        prop_assert_eq!(plain(&written), wanted);
    }
}
