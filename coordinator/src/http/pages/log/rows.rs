//! Lines as rows: text in pieces, each with the classes of how it looks.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use pointsman_domain::log_marks::Group;
use pointsman_domain::terminal::{self, Emphasis, Style};
use pointsman_shared::api::causes::Cause;
use pointsman_shared::api::jobs::NumberedLine;
use pointsman_shared::wire::logs::LogSource;

/// Characters of a line that are shown; the whole line is one link away.
const SHOWN: usize = 4096;

/// A line to draw.
#[derive(Debug)]
pub(in super::super) struct Row {
    pub(in super::super) line: u64,
    pub(in super::super) at: String,
    pub(in super::super) class: String,
    pub(in super::super) pieces: Vec<Drawn>,
    /// Whether the line is longer than what is shown.
    pub(in super::super) cut: bool,
    /// What it means.
    pub(in super::super) cause: Option<String>,
    /// The last line of the group that begins here, and how long it took.
    pub(in super::super) group: Option<(u64, String)>,
}

/// A stretch of text to draw.
#[derive(Debug)]
pub(in super::super) struct Drawn {
    pub(in super::super) text: String,
    pub(in super::super) class: String,
    pub(in super::super) link: Option<Arc<str>>,
}

/// Draws lines; groups are known by their first line.
pub(in super::super) fn rows(lines: &[NumberedLine], groups: &[Group], causes: &[(u64, Cause)]) -> Vec<Row> {
    let groups: HashMap<u64, &Group> = groups.iter().map(|group| (group.from, group)).collect();
    let cause = |line: u64| causes.iter().find(|(of, _)| *of == line).map(|(_, cause)| cause);
    lines
        .iter()
        .map(|line| row(line, groups.get(&line.line).copied(), cause(line.line)))
        .collect()
}

fn row(line: &NumberedLine, group: Option<&Group>, cause: Option<&Cause>) -> Row {
    let end = line.text.char_indices().nth(SHOWN).map(|(at, _)| at);
    let shown = end.and_then(|end| line.text.get(..end)).unwrap_or(&line.text);
    let mut class = String::new();
    let mut is = |name: &str| {
        if !class.is_empty() {
            class.push(' ');
        }
        class.push_str(name);
    };
    if line.gap > 0 {
        is("gap");
    }
    match line.source {
        LogSource::Out => {}
        LogSource::Err => is("err"),
        LogSource::Agent => is("own"),
    }
    if group.is_some() {
        is("group");
    }
    Row {
        line: line.line,
        at: line.at.format("%H:%M:%S%.3f").to_string(),
        class,
        pieces: terminal::pieces(shown).into_iter().map(drawn).collect(),
        cut: end.is_some(),
        cause: cause.map(|cause| cause.sentence.clone()),
        group: group.map(|group| {
            let took = group.took_ms.map(super::super::format::duration);
            (group.to, took.unwrap_or_default())
        }),
    }
}

fn drawn(piece: terminal::Piece) -> Drawn {
    Drawn {
        text: piece.text,
        class: class(piece.style),
        link: piece.link,
    }
}

/// `f1 g4 bo`: text in colour 1 on colour 4, bold.
fn class(style: Style) -> String {
    let mut class = String::new();
    // A text in memory takes whatever is written to it.
    if let Some(fore) = style.fore {
        write!(class, "f{} ", fore.number()).ok();
    }
    if let Some(back) = style.back {
        write!(class, "g{} ", back.number()).ok();
    }
    for emphasis in Emphasis::ALL {
        if style.has(emphasis) {
            class.push_str(match emphasis {
                Emphasis::Bold => "bo ",
                Emphasis::Dim => "di ",
                Emphasis::Italic => "it ",
                Emphasis::Underline => "un ",
                Emphasis::Struck => "st ",
                Emphasis::Inverse => "in ",
            });
        }
    }
    class.truncate(class.trim_end().len());
    class
}

#[cfg(test)]
mod tests {
    use askama::Template as _;
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::super::window::Lines;
    use super::*;

    fn line(text: &str) -> NumberedLine {
        NumberedLine {
            line: 7,
            at: DateTime::UNIX_EPOCH,
            stage: "build".to_owned(),
            source: LogSource::Out,
            text: text.to_owned(),
            gap: 0,
        }
    }

    fn html(text: &str) -> String {
        let rows = rows(&[line(text)], &[], &[]);
        let lines = Lines { job: 3, rows: &rows };
        lines.render().unwrap()
    }

    #[test]
    fn hostile_lines_are_text() {
        let table = [
            (
                "</script><img src=x onerror=alert(1)>",
                "&#60;/script&#62;&#60;img src=x onerror=alert(1)&#62;",
            ),
            ("\x1b[31m<b>\x1b[0m", "<span class=\"f1\">&#60;b&#62;</span>"),
            ("\x1b[1;7;44mx", "<span class=\"g4 bo in\">x</span>"),
            (
                "\x1b]8;;https://a.example/\"onclick=x\x07y\x1b]8;;\x07",
                "<a href=\"https://a.example/&#34;onclick=x\" rel=\"noreferrer nofollow\">y</a>",
            ),
        ];
        for (text, wanted) in table {
            let html = html(text);
            assert!(html.contains(wanted), "{html}");
        }
        let long = html(&"x".repeat(1_000_000));
        assert!(
            long.len() < 5000 && long.contains("href=\"/jobs/3/raw?line=7\""),
            "{}",
            long.len()
        );
    }

    /// Text and tags of a row, taken apart by what a browser would see.
    fn tags(html: &str) -> Vec<&str> {
        html.split('<')
            .skip(1)
            .map(|part| part.split('>').next().unwrap_or_default())
            .collect()
    }

    proptest! {
        #[test]
        fn whatever_is_written_only_known_tags_and_classes_come_out(
            text in "(\\x1b\\[[0-9;:]{0,12}m|\\x1b\\]8;;[a-zHTPS:/.\"<>]{0,20}\\x07|[\\x00-\\x7f\u{202e}\u{e4}]|</script>){0,40}",
        ) {
            let html = html(&text);
            for tag in tags(&html) {
                let known = tag.starts_with('/')
                    || tag == "li id=\"L7\""
                    || tag.starts_with("a class=\"no\" href=\"#L7\" data-at=\"")
                    || tag == "span"
                    || tag.strip_prefix("span class=\"").is_some_and(is_classes)
                    || tag.strip_prefix("a href=\"").is_some_and(|rest| rest.to_ascii_lowercase().starts_with("http"))
                    || tag.strip_prefix("a class=\"").and_then(|rest| rest.split_once("\" href=\"http")).is_some_and(|(classes, _)| is_classes(classes));
                prop_assert!(known, "{tag} in {html}");
            }
        }
    }

    fn is_classes(classes: &str) -> bool {
        let classes = classes.trim_end_matches('"');
        classes.split(' ').all(|class| {
            let number = class
                .strip_prefix(['f', 'g'])
                .and_then(|number| number.parse::<u8>().ok());
            number.is_some_and(|number| number < 16) || ["bo", "di", "it", "un", "st", "in"].contains(&class)
        })
    }
}
