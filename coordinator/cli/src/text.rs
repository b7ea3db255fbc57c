//! How times, sizes and foreign text are written for people.
//!
//! Text that comes from elsewhere (logs, commit subjects, reasons) never reaches a terminal as it is: control
//! characters, cursor movements, titles and direction overrides would let a build log rewrite the operator's screen.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use pointsman_shared::readable;
use url::Url;

/// A length of time in two figures: `12ms`, `0.4s`, `14.2s`, `3m40`, `2h05`, `3d`.
pub fn duration(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0 if length.subsec_millis() < 100 => format!("{}ms", length.subsec_millis()),
        0..60 => format!("{}.{}s", seconds, length.subsec_millis() / 100),
        60..3_600 => format!("{}m{:02}", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

pub use pointsman_shared::why::age;

/// A moment, exactly: `2026-11-20T12:04:31Z`.
pub fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A size: `812 B`, `41 MB`, `1.2 GB`; decimal units.
pub fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    for (unit, size) in UNITS {
        if count >= size {
            let (whole, tenth) = (count / size, count % size * 10 / size);
            return if whole >= 10 {
                format!("{whole} {unit}")
            } else {
                format!("{whole}.{tenth} {unit}")
            };
        }
    }
    format!("{count} B")
}

/// An address of a coordinator in its one spelling, whatever slashes were typed.
pub fn address(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

/// What is wrong with a TOML file, and in which line.
pub fn toml_error(file: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| file.get(..span.start));
    match before {
        Some(before) => format!("line {}: {}", before.matches('\n').count() + 1, error.message()),
        None => error.message().to_owned(),
    }
}

/// `1 host`, `3 hosts`.
pub fn counted(count: usize, thing: &str) -> String {
    if count == 1 {
        format!("1 {thing}")
    } else {
        format!("{count} {thing}s")
    }
}

/// Text from elsewhere in one harmless line: no escape sequences, no control characters.
pub fn plain(text: &str) -> String {
    harmless(text, false)
}

/// The same, but colours (SGR) stay, closed at the end, for logs on a terminal.
pub fn coloured(text: &str) -> String {
    harmless(text, true)
}

fn harmless(text: &str, keep_colours: bool) -> String {
    // Progress bars redraw their line with `\r`: what counts is what stood there in the end.
    let shown = text.trim_end_matches('\r');
    let shown = shown.rsplit('\r').next().unwrap_or(shown);
    let mut clean = String::with_capacity(shown.len());
    let mut coloured = false;
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        if c == '\u{1b}' {
            let (sequence, after) = rest.split_at(escape_length(rest));
            if keep_colours && is_colour(sequence) {
                clean.push_str(sequence);
                coloured = true;
            }
            rest = after;
            continue;
        }
        match c {
            '\t' => clean.push_str("    "),
            '\n' => clean.push(' '),
            _ if c.is_control() || readable::is_turning(c) => clean.push(readable::STAND_IN),
            _ => clean.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    if coloured {
        clean.push_str("\u{1b}[0m");
    }
    clean
}

/// Bytes of the escape sequence that `text` begins with.
fn escape_length(text: &str) -> usize {
    let body = &text[1..];
    match body.chars().next() {
        None => 1,
        Some('[') => body[1..]
            .find(|c: char| ('\u{40}'..='\u{7e}').contains(&c))
            .map_or(text.len(), |end| end + 3),
        // Operating system commands (titles, links) end with BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let bell = body.find('\u{7}').map(|end| end + 2);
            let terminator = body.find("\u{1b}\\").map(|end| end + 3);
            bell.into_iter().chain(terminator).min().unwrap_or(text.len())
        }
        Some(c) => 1 + c.len_utf8(),
    }
}

fn is_colour(sequence: &str) -> bool {
    sequence
        .strip_prefix("\u{1b}[")
        .and_then(|body| body.strip_suffix('m'))
        .is_some_and(|codes| codes.bytes().all(|b| b.is_ascii_digit() || b == b';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_two_figures() {
        let written =
            [12, 400, 14_200, 220_000, 7_500_000, 300_000_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(written, ["12ms", "0.4s", "14.2s", "3m40", "2h05", "3d"]);
    }

    #[test]
    fn sizes_have_two_figures() {
        let written = [0, 812, 1_200, 41_900_000, 1_250_000_000].map(bytes);
        assert_eq!(written, ["0 B", "812 B", "1.2 kB", "41 MB", "1.2 GB"]);
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mred\u{1b}[0m b"), "ared b");
        assert_eq!(coloured("\u{1b}[31mred"), "\u{1b}[31mred\u{1b}[0m");
        assert_eq!(coloured("\u{1b}[2J\u{1b}[Hgone"), "gone");
        assert_eq!(plain("\u{1b}]0;title\u{7}text"), "text");
        assert_eq!(plain("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\"), "link");
        assert_eq!(plain("10 %\r 50 %\r100 %\r"), "100 %");
        assert_eq!(plain("a\u{202e}b\u{7}"), "a\u{fffd}b\u{fffd}");
        assert_eq!(plain("a\u{61c}b\u{2066}"), "a\u{61c}b\u{fffd}");
        assert_eq!(plain("cut \u{1b}[3"), "cut ");
        assert_eq!(plain("end \u{1b}"), "end ");
        assert_eq!(plain("\u{1b}ü"), "");
    }
}
