//! What differs from run to run, made the same.

/// Ports and moments replaced by words.
pub fn redacted(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = moment(rest).map(|length| (length, "<time>"));
        let length = length.or_else(|| port("http", rest).map(|length| (length, "http://coordinator")));
        let length = length.or_else(|| port("https", rest).map(|length| (length, "https://coordinator")));
        let length = length.or_else(|| milliseconds(rest).map(|length| (length, "<n> ms")));
        let length = length.or_else(|| skew(rest).map(|length| (length, "<n> s apart")));
        if let Some((length, word)) = length {
            clean.push_str(word);
            rest = &rest[length..];
        } else {
            clean.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    clean
}

/// `2026-11-20T12:04:31Z`, with or without a fraction.
fn moment(text: &str) -> Option<usize> {
    const PATTERN: &[u8] = b"0000-00-00T00:00:00";
    let bytes = text.as_bytes();
    let matches = bytes.len() > PATTERN.len()
        && PATTERN.iter().zip(bytes).all(|(wanted, byte)| match wanted {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        });
    let end = matches.then(|| text[PATTERN.len()..].find('Z'))??;
    (end <= 10).then_some(PATTERN.len() + end + 1)
}

fn port(scheme: &str, text: &str) -> Option<usize> {
    const HOST: &str = "://127.0.0.1:";
    let rest = text.strip_prefix(scheme)?.strip_prefix(HOST)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some(scheme.len() + HOST.len() + digits)
}

/// `0.3 s apart`, of two clocks.
fn skew(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    (digits > 0 && text[digits..].starts_with(" s apart")).then_some(digits + " s apart".len())
}

fn milliseconds(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    (digits > 0 && text[digits..].starts_with(" ms")).then_some(digits + 3)
}
