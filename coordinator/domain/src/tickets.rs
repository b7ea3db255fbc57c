//! Tickets: what in the subject of a commit names one, and the address that it leads to.
//!
//! Who configures a project says both, anybody may have written the commit, and everybody follows the link. So an address
//! is http or https, its host stands before the place of the ticket, it holds no password, and what a commit puts into it
//! is percent-encoded. Patterns are kept as small as those of [`crate::known_causes`].

use pointsman_shared::api::projects::Tickets;
use regex::{Regex, RegexBuilder};
use url::Url;

use crate::refusal::Refusal;

/// Length of each text at most.
const LONGEST: usize = 500;
/// Characters of a subject that are looked at.
const LOOKED_AT: usize = 1000;
/// Links in a subject at most.
const MOST: usize = 10;
/// Size of a compiled pattern at most, in bytes.
const COMPILED: usize = 64 * 1024;
/// What stands for the ticket in an address.
const PLACE: &str = "{}";

/// Refuses a pattern or an address that could not be kept, or could lead nowhere.
pub fn judge(wish: &Tickets) -> Result<(), Refusal> {
    let invalid =
        |what: String, hint: &str| Err(Refusal::invalid("invalid_tickets", what).hint(hint.to_owned()));
    for (name, text) in [("pattern", &wish.pattern), ("address", &wish.link)] {
        if text.trim().is_empty() || text.chars().count() > LONGEST || text.contains(char::is_control) {
            let what = format!(
                "the {name} of tickets is empty, longer than {LONGEST} characters, or of several lines"
            );
            return invalid(
                what,
                "one line each, such as SHOP-\\d+ and https://tracker.example.org/browse/{}",
            );
        }
    }
    match compiled(&wish.pattern) {
        Err(error) => {
            return invalid(
                format!("the pattern of tickets is no regular expression: {error}"),
                "letters match themselves; . * [ ( need a \\ before them",
            );
        }
        Ok(pattern) if pattern.is_match("") => {
            return invalid(
                format!("the pattern {:?} fits where no ticket is named", wish.pattern),
                "name what each ticket has, such as SHOP-\\d+",
            );
        }
        Ok(_) => {}
    }
    match address(&wish.link) {
        Ok(()) => Ok(()),
        Err(why) => invalid(
            format!("{:?} cannot be the address of tickets: {why}", wish.link),
            "write it like https://tracker.example.org/browse/{}",
        ),
    }
}

fn compiled(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(COMPILED).build()
}

fn address(link: &str) -> Result<(), &'static str> {
    if !link.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it may hold printable ASCII characters and no blanks");
    }
    let rest = link
        .strip_prefix("https://")
        .or_else(|| link.strip_prefix("http://"));
    let rest = rest.ok_or("it has to begin with https:// or http://")?;
    let place = rest.find(PLACE).ok_or("it has no {} where the ticket stands")?;
    if rest
        .find(['/', '?', '#', '\\'])
        .is_none_or(|end| end == 0 || end > place)
    {
        return Err("the {} has to stand behind the host");
    }
    let url = Url::parse(&link.replace(PLACE, "1")).map_err(|_| "it is no address")?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a name or a password, which everybody would read");
    }
    Ok(())
}

/// A piece of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its text.
    pub text: &'a str,
    /// Where it leads.
    pub link: Option<String>,
}

/// The tickets of a project, ready to be looked for.
#[derive(Debug, Default)]
pub struct TicketLinks(Option<(Regex, String)>);

impl TicketLinks {
    /// Makes them ready; what could not be kept today links nothing.
    pub fn new(tickets: Option<&Tickets>) -> Self {
        let sound = tickets.filter(|tickets| judge(tickets).is_ok());
        Self(sound.and_then(|tickets| Some((compiled(&tickets.pattern).ok()?, tickets.link.clone()))))
    }

    /// The pieces of a subject, in order; together they are all of it.
    pub fn parts<'a>(&self, subject: &'a str) -> Vec<Part<'a>> {
        let plain = |text| Part { text, link: None };
        let Some((pattern, link)) = &self.0 else {
            return vec![plain(subject)];
        };
        let end = subject
            .char_indices()
            .nth(LOOKED_AT)
            .map_or(subject.len(), |(at, _)| at);
        let (head, _) = subject.split_at(end);
        let mut parts = Vec::new();
        let mut told = 0;
        for found in pattern.captures_iter(head).take(MOST) {
            let Some(whole) = found.get(0).filter(|whole| !whole.is_empty()) else {
                continue;
            };
            let ticket = found.get(1).filter(|ticket| !ticket.is_empty()).unwrap_or(whole);
            parts.extend(
                subject
                    .get(told..whole.start())
                    .filter(|text| !text.is_empty())
                    .map(plain),
            );
            parts.push(Part {
                text: whole.as_str(),
                link: Some(link.replace(PLACE, &encoded(ticket.as_str()))),
            });
            told = whole.end();
        }
        parts.extend(subject.get(told..).filter(|text| !text.is_empty()).map(plain));
        parts
    }
}

/// Percent-encoded, but for what means nothing in an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}

fn digit(half: u8) -> char {
    let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
    digit.to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINK: &str = "https://tracker.example.org/browse/{}";

    fn tickets(pattern: &str, link: &str) -> Tickets {
        Tickets {
            pattern: pattern.to_owned(),
            link: link.to_owned(),
        }
    }

    fn links(pattern: &str, link: &str, subject: &str) -> Vec<(String, Option<String>)> {
        let links = TicketLinks::new(Some(&tickets(pattern, link)));
        let parts = links.parts(subject).into_iter();
        parts.map(|part| (part.text.to_owned(), part.link)).collect()
    }

    #[test]
    fn what_fits_leads_to_its_ticket_and_the_rest_is_text() {
        let text = |text: &str| (text.to_owned(), None);
        let link = |text: &str, to: &str| (text.to_owned(), Some(to.to_owned()));
        for (pattern, to, subject, parts) in [
            (
                r"SHOP-\d+",
                LINK,
                "SHOP-7, SHOP-12: VAT",
                vec![
                    link("SHOP-7", "https://tracker.example.org/browse/SHOP-7"),
                    text(", "),
                    link("SHOP-12", "https://tracker.example.org/browse/SHOP-12"),
                    text(": VAT"),
                ],
            ),
            (
                r"#(\d+)",
                "https://forge.example.org/shop/issues/{}",
                "Fix #41",
                vec![
                    text("Fix "),
                    link("#41", "https://forge.example.org/shop/issues/41"),
                ],
            ),
            (
                r"\[[^\]]+\]",
                "http://t/?q={}&x",
                "[a&b=\u{e9}/..]",
                vec![link("[a&b=\u{e9}/..]", "http://t/?q=%5Ba%26b%3D%C3%A9%2F..%5D&x")],
            ),
            (r"SHOP-\d+", LINK, "no ticket", vec![text("no ticket")]),
            (r"SHOP-\d+", LINK, "", vec![]),
            // What could not be kept links nothing.
            ("(", LINK, "(", vec![text("(")]),
            (r"\b", LINK, "a b", vec![text("a b")]),
        ] {
            assert_eq!(links(pattern, to, subject), parts, "{pattern} {subject}");
        }
        assert_eq!(TicketLinks::default().parts("SHOP-1").len(), 1);
        let many = links("x", LINK, &"x".repeat(2000));
        assert_eq!(many.iter().filter(|(_, link)| link.is_some()).count(), MOST);
    }

    #[test]
    fn what_leads_nowhere_or_elsewhere_is_refused() {
        let big = format!("({}){{1000}}", "[a-z]".repeat(80));
        let long = "x".repeat(501);
        for (pattern, link) in [
            ("", LINK),
            (" ", LINK),
            ("(", LINK),
            (r"\d*", LINK),
            ("a\nb", LINK),
            (big.as_str(), LINK),
            (long.as_str(), LINK),
            ("x", ""),
            ("x", "https://tracker.example.org/"),
            ("x", "ftp://tracker.example.org/{}"),
            ("x", "javascript:alert({})"),
            ("x", "data:text/html,{}"),
            ("x", "//tracker.example.org/{}"),
            ("x", "/browse/{}"),
            ("x", "https://{}"),
            ("x", "https://{}.example.org/"),
            ("x", "https://tracker.example.org:{}/"),
            // Browsers read these with the ticket as the host.
            ("x", "https:///{}"),
            ("x", "https://\\{}"),
            ("x", "https:////{}/browse"),
            ("x", "https://lucy:hush@tracker.example.org/{}"),
            ("x", "https://lucy@tracker.example.org/{}"),
            ("x", "https://tracker.example.org/ {}"),
            ("x", "https://tracker.example.org/\u{e9}{}"),
        ] {
            let refused = judge(&tickets(pattern, link)).unwrap_err();
            assert_eq!(refused.code, "invalid_tickets", "{pattern} {link}");
        }
        for link in [LINK, "http://localhost:8080/?id={}", "https://t#{}"] {
            judge(&tickets(r"SHOP-\d+", link)).unwrap();
        }
    }

    proptest! {
        #[test]
        fn no_subject_is_lost_and_no_link_leaves_its_place(
            pattern in "\\PC{0,12}",
            subject in "[\\x00-\\x7f\u{e4}\u{202e}]{0,60}",
        ) {
            for pattern in [pattern.as_str(), r"[^ ]+", "(.)."] {
                let parts = links(pattern, LINK, &subject);
                let whole: String = parts.iter().map(|(text, _)| text.as_str()).collect();
                prop_assert_eq!(&whole, &subject);
                for to in parts.iter().filter_map(|(_, link)| link.as_ref()) {
                    let rest = to.strip_prefix("https://tracker.example.org/browse/").unwrap();
                    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
                    prop_assert!(rest.bytes().all(kept), "{}", to);
                }
            }
        }
    }
}
