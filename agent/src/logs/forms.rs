//! The shapes in which a secret may turn up in a log.
//!
//! Line breaks are left out of the shapes and of the searched text, so a value is found however it is broken over lines,
//! and base64 is found wherever in a longer text it was encoded.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter values are not masked: a log full of `***` for every `true` helps nobody. Pick longer secrets.
pub const SHORTEST_SECRET: usize = 6;

/// What a masked stretch is shown as.
const MASK: &str = "***";

/// The secrets of one job, in all shapes.
pub struct Secrets {
    forms: Vec<String>,
    search: Option<AhoCorasick>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({} forms)", self.forms.len())
    }
}

impl Secrets {
    /// No secrets.
    pub fn none() -> Self {
        Self {
            forms: Vec::new(),
            search: None,
        }
    }

    /// The shapes of `values`.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = BTreeSet::new();
        for value in values {
            add_forms(value, &mut forms);
        }
        let forms: Vec<String> = forms.into_iter().collect();
        // Building fails only for more patterns than fit a 32-bit number; then everything would be masked below.
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&forms)
            .ok();
        Self { forms, search }
    }

    /// Whether there is anything to look for.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// A whole text with its secrets masked, for results and errors.
    pub fn mask(&self, text: &str) -> String {
        let mut stretches = self.find(text.as_bytes());
        show(text, 0, &mut stretches)
    }

    /// Where secrets lie in `text`, as byte ranges; they may overlap.
    pub(super) fn find(&self, text: &[u8]) -> Vec<(usize, usize)> {
        if self.is_empty() {
            return Vec::new();
        }
        match &self.search {
            Some(search) => search
                .find_overlapping_iter(text)
                .map(|found| (found.start(), found.end()))
                .collect(),
            None => vec![(0, text.len())],
        }
    }

    /// How many bytes at the end of `text` may be the beginning of a secret.
    pub(super) fn dangling(&self, text: &[u8]) -> usize {
        let longest = |form: &String| {
            let form = form.as_bytes();
            let most = form.len().saturating_sub(1).min(text.len());
            (1..=most)
                .rev()
                .find(|length| text.ends_with(form.get(..*length).unwrap_or_default()))
        };
        self.forms.iter().filter_map(longest).max().unwrap_or(0)
    }
}

/// `text`, which lies at byte `offset` of the searched text, with the found stretches masked.
pub(super) fn show(text: &str, offset: usize, stretches: &mut [(usize, usize)]) -> String {
    stretches.sort_unstable();
    let mut shown = String::with_capacity(text.len());
    let mut copied = 0;
    let end = offset + text.len();
    for &mut (from, to) in stretches {
        let (from, to) = (from.clamp(offset, end) - offset, to.clamp(offset, end) - offset);
        if to <= copied {
            continue;
        }
        if from >= copied {
            shown.push_str(text.get(copied..from).unwrap_or_default());
            shown.push_str(MASK);
        }
        copied = to;
    }
    shown.push_str(text.get(copied..).unwrap_or_default());
    shown
}

fn add_forms(value: &str, forms: &mut BTreeSet<String>) {
    let value = value.trim_matches(['\r', '\n']);
    if value.len() < SHORTEST_SECRET {
        return;
    }
    let mut add = |form: String| {
        if form.len() >= SHORTEST_SECRET {
            forms.insert(form);
        }
    };
    add(without_breaks(value));
    for line in value.lines() {
        add(line.to_owned());
    }
    let escaped = serde_json::to_string(value).unwrap_or_default();
    add(escaped.trim_matches('"').to_owned());
    add(hex::encode(value));
    add(hex::encode_upper(value));
    for space in ["%20", "+"] {
        let encoded = percent_encoded(value, space);
        add(lower_escapes(&encoded));
        add(encoded);
    }
    // A final line break is often encoded along (`echo secret | base64`); the stable part is the same.
    for before in 0..3 {
        add(base64_inside(before, value, |bytes| {
            STANDARD_NO_PAD.encode(bytes)
        }));
        add(base64_inside(before, value, |bytes| {
            URL_SAFE_NO_PAD.encode(bytes)
        }));
    }
}

fn without_breaks(value: &str) -> String {
    value.chars().filter(|c| !matches!(c, '\r' | '\n')).collect()
}

/// The characters that depend on `value` alone when `before` (mod 3) other bytes stand in front of it.
fn base64_inside(before: usize, value: &str, encode: impl Fn(&[u8]) -> String) -> String {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(value.as_bytes());
    let first = (before * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    encode(&bytes).get(first..last).unwrap_or_default().to_owned()
}

fn percent_encoded(value: &str, space: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(byte));
            }
            b' ' => text.push_str(space),
            _ => text.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 0xF)]),
        }
    }
    text
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

/// `%2F` as `%2f`.
fn lower_escapes(text: &str) -> String {
    let mut left = 0_u8;
    text.chars()
        .map(|c| {
            if c == '%' {
                left = 2;
                return c;
            }
            let escaped = left > 0;
            left = left.saturating_sub(1);
            if escaped { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn every_usual_shape_is_masked() {
        let secret = "p@ss wörd/+42";
        let secrets = Secrets::new([secret]);
        let shapes = [
            secret.to_owned(),
            hex::encode(secret),
            hex::encode_upper(secret),
            percent_encoded(secret, "%20"),
            percent_encoded(secret, "+"),
            lower_escapes(&percent_encoded(secret, "%20")),
            STANDARD_NO_PAD.encode(secret),
        ];
        for shape in shapes {
            let shown = secrets.mask(&format!("before {shape} after"));
            assert!(
                shown.starts_with("before ***") && shown.ends_with(" after"),
                "{shown}"
            );
            assert!(!shown.contains(&shape), "{shown}");
        }
    }

    #[test]
    fn base64_is_found_inside_a_longer_encoded_text() {
        let secrets = Secrets::new(["correct-horse-battery"]);
        for user in ["a", "ab", "abc"] {
            let header = STANDARD.encode(format!("{user}:correct-horse-battery"));
            let shown = secrets.mask(&header);
            assert!(shown.contains("***") && shown.len() < 14, "{header} -> {shown}");
        }
    }

    #[test]
    fn overlapping_finds_are_one_mask() {
        let secrets = Secrets::new(["abcdefgh", "efghijkl"]);
        assert_eq!(secrets.mask("1 abcdefghijkl 2"), "1 *** 2");
    }

    #[test]
    fn short_values_are_left_alone() {
        let secrets = Secrets::new(["true", ""]);
        assert!(secrets.is_empty());
        assert_eq!(secrets.mask("true"), "true");
    }
}
