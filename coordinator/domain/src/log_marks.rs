//! What stands out in a log: lines that tell of an error, and where groups begin and end.
//!
//! Marks are read once, when a piece of a log arrives, so that a long log need not be read again to find its next
//! error. The grammar of groups is that of the three CI systems people write scripts for: `--- name` and `+++ name`,
//! `::group::name`, and `section_start:…`.

use std::sync::LazyLock;

use pointsman_shared::wire::logs::{LogLine, LogSource};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::terminal;

/// Marks of one piece of a log at most.
const MOST: usize = 200;
/// Length of a group's name at most, in characters.
const LONGEST_NAME: usize = 120;

/// What a line stands out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// It is the first of lines that tell of an error.
    Error,
    /// A group begins, to the next header: `--- name`.
    Header,
    /// The same, and wants to be read: `+++ name`.
    OpenHeader,
    /// The group before wants to be read after all: `^^^ +++`.
    Reopen,
    /// A group begins, to its end.
    Begin,
    /// The innermost of these ends.
    End,
}

/// A line that stands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its number.
    pub line: u64,
    /// What for.
    pub kind: MarkKind,
    /// Name of the group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When it was read, in milliseconds.
    #[serde(default)]
    pub at: i64,
}

/// The marks of lines that follow one another, from the number of the first.
pub fn read(first_line: u64, lines: &[LogLine]) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut failing = None;
    for (number, line) in (first_line..).zip(lines) {
        let (kind, name) = if let Some(group) = group_mark(&line.text) {
            group
        } else if tells_of_error(line) {
            // One mark for lines that belong together.
            let goes_on = failing.is_some_and(|last| last + 1 == number);
            failing = Some(number);
            if goes_on {
                continue;
            }
            (MarkKind::Error, String::new())
        } else {
            continue;
        };
        if marks.len() < MOST {
            marks.push(Mark {
                line: number,
                kind,
                name,
                at: line.at,
            });
        }
    }
    marks
}

/// What a search looks through: each line without its controls, in lower case, behind a sign of where it came from.
pub fn searchable(lines: &[LogLine]) -> String {
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        text.push(sign(line.source));
        let plain = terminal::plain(&line.text).to_lowercase();
        text.extend(plain.chars().filter(|c| !matches!(c, '\n' | '\0')));
    }
    text
}

/// The sign of a source; no text that is searched for holds it.
pub const fn sign(source: LogSource) -> char {
    match source {
        LogSource::Out => '\u{1}',
        LogSource::Err => '\u{2}',
        LogSource::Agent => '\u{3}',
    }
}

fn group_mark(text: &str) -> Option<(MarkKind, String)> {
    // Most lines begin nothing.
    if !["section_", "group", "--- ", "+++"]
        .iter()
        .any(|sign| text.contains(sign))
    {
        return None;
    }
    let start = text.find("section_").filter(|at| *at < 16);
    if let Some(section) = start.and_then(|at| text.get(at..)) {
        if section.starts_with("section_end:") {
            return Some((MarkKind::End, String::new()));
        }
        if let Some(rest) = section.strip_prefix("section_start:") {
            // `section_start:<time>:<name>[options]\r<title>`
            let own = rest.split('\r').next().unwrap_or(rest);
            let named = own.split(':').nth(1).unwrap_or(own);
            let bare = named.split('[').next().unwrap_or(named);
            let title = rest.split_once('\r').map(|(_, title)| terminal::plain(title));
            return Some((MarkKind::Begin, short(&title.unwrap_or_else(|| bare.to_owned()))));
        }
    }
    let plain = terminal::plain(text);
    let of = |prefix: &str| plain.strip_prefix(prefix);
    if let Some(name) = of("::group::").or_else(|| of("##[group]")) {
        return Some((MarkKind::Begin, short(name)));
    }
    if of("::endgroup::").or_else(|| of("##[endgroup]")).is_some() {
        return Some((MarkKind::End, String::new()));
    }
    if of("^^^ +++").is_some() {
        return Some((MarkKind::Reopen, String::new()));
    }
    let header = of("--- ").map(|name| (MarkKind::Header, name));
    let header = header.or_else(|| of("+++ ").map(|name| (MarkKind::OpenHeader, name)));
    // A patch in a log is no group.
    let is_path = |name: &str| ["a/", "b/", "/"].iter().any(|start| name.starts_with(start));
    header
        .filter(|(_, name)| !name.trim().is_empty() && !is_path(name))
        .map(|(kind, name)| (kind, short(name)))
}

fn short(name: &str) -> String {
    name.trim()
        .chars()
        .filter(|c| *c != '\0')
        .take(LONGEST_NAME)
        .collect()
}

fn tells_of_error(line: &LogLine) -> bool {
    static TELLS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let words = concat!(
            r"(?i)(^|[^\w./-])(error|err!|errors:|fatal|panic(ked)?|exception|traceback|failed|failure|cannot|denied|refused",
            r"|no space left|out of memory|segmentation fault|command not found|killed)([\s:!,;()\[\]'\x22]|\.?$)",
            r"|^\s*E[: ]|\w(Error|Exception):",
        );
        Regex::new(words).ok()
    });
    static NOT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(0|no|without|any) (errors?|failed|failures?)\b|::warning|\bwarn(ing)?\b:").ok()
    });
    let plain = terminal::plain(&line.text);
    let is = |pattern: &Option<Regex>| pattern.as_ref().is_some_and(|pattern| pattern.is_match(&plain));
    plain.starts_with("::error") || (is(&TELLS) && !is(&NOT))
}

/// A group of lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its first line, which names it.
    pub from: u64,
    /// Its last line.
    pub to: u64,
    /// Its name.
    pub name: String,
    /// Whether it is shown unfolded: it failed, wants to be read, or goes on.
    pub open: bool,
    /// Whether a line in it tells of an error.
    pub failed: bool,
    /// How long it took, in milliseconds.
    pub took_ms: Option<u64>,
}

/// Groups by the marks of a whole log, which has `last` lines so far; `unfinished` when its end is not a good one.
pub fn groups(marks: &[Mark], last: u64, unfinished: bool) -> Vec<Group> {
    let mut groups: Vec<(Group, i64)> = Vec::new();
    let mut inside: Vec<usize> = Vec::new();
    let mut header = None;
    for mark in marks {
        match mark.kind {
            MarkKind::Error => {
                for index in inside.iter().copied().chain(header) {
                    if let Some((group, _)) = groups.get_mut(index) {
                        (group.open, group.failed) = (true, true);
                    }
                }
            }
            MarkKind::Header | MarkKind::OpenHeader => {
                let before = inside.drain(..).chain(header.take()).collect::<Vec<_>>();
                for index in before {
                    end(&mut groups, index, mark.line - 1, mark.at);
                }
                header = Some(groups.len());
                groups.push(begun(mark));
            }
            MarkKind::Begin => {
                inside.push(groups.len());
                groups.push(begun(mark));
            }
            MarkKind::End => {
                if let Some(index) = inside.pop() {
                    end(&mut groups, index, mark.line, mark.at);
                }
            }
            MarkKind::Reopen => {
                if let Some(index) = inside.last().copied().or(header)
                    && let Some((group, _)) = groups.get_mut(index)
                {
                    group.open = true;
                }
            }
        }
    }
    for index in inside.into_iter().chain(header) {
        if let Some((group, _)) = groups.get_mut(index) {
            group.to = last;
            group.open |= unfinished;
        }
    }
    let worth = |group: &Group| group.to > group.from;
    groups.into_iter().map(|(group, _)| group).filter(worth).collect()
}

fn begun(mark: &Mark) -> (Group, i64) {
    let group = Group {
        from: mark.line,
        to: mark.line,
        name: mark.name.clone(),
        open: mark.kind == MarkKind::OpenHeader,
        failed: false,
        took_ms: None,
    };
    (group, mark.at)
}

fn end(groups: &mut [(Group, i64)], index: usize, line: u64, at: i64) {
    if let Some((group, begun)) = groups.get_mut(index) {
        group.to = line;
        group.took_ms = u64::try_from(at - *begun).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<LogLine> {
        let line = |(at, text): (i64, &&str)| LogLine {
            at: at * 1000,
            source: LogSource::Out,
            text: (*text).to_owned(),
        };
        (0..).zip(texts).map(line).collect()
    }

    #[test]
    fn errors_are_marked_once_and_words_that_only_sound_so_are_not() {
        let tell = [
            "error: no such file",
            "npm ERR! code ELOCKVERIFY",
            "\x1b[31mFAILED\x1b[0m tests/x",
            "thread 'main' panicked at src/main.rs",
            "mv: cannot stat 'x': Permission denied",
            "TypeError: x is not a function",
            "Killed",
            "::error file=a.js::oops",
        ];
        for text in tell {
            let marks = read(7, &lines(&["fine", text]));
            assert_eq!(marks.len(), 1, "{text}");
            assert_eq!((marks[0].line, marks[0].kind), (8, MarkKind::Error), "{text}");
        }
        for text in [
            "0 errors",
            "compiled without errors",
            "copying error.html",
            "error_log=/x",
            "terror",
            "warning: error: x",
        ] {
            assert_eq!(read(1, &lines(&[text])), [], "{text}");
        }
        let marks = read(1, &lines(&["error: a", "error: b", "fine", "error: c"]));
        assert_eq!(marks.iter().map(|mark| mark.line).collect::<Vec<_>>(), [1, 4]);
    }

    #[test]
    fn groups_of_three_grammars_fold_when_good_and_open_when_not() {
        let texts = [
            "--- Setting up",                                                            // 1
            "fetching",                                                                  // 2
            "+++ Tests",                                                                 // 3
            "ok",                                                                        // 4
            "--- Building",                                                              // 5
            "error: it broke",                                                           // 6
            "::group::Dependencies",                                                     // 7
            "installed",                                                                 // 8
            "::endgroup::",                                                              // 9
            "\x1b[0Ksection_start:1560896352:prepare[collapsed=true]\r\x1b[0KPreparing", // 10
            "prepared",                                                                  // 11
            "\x1b[0Ksection_end:1560896353:prepare\r\x1b[0K",                            // 12
            "--- a/file.rs",                                                             // 13
            "last",                                                                      // 14
        ];
        let marks = read(1, &lines(&texts));
        let told = |unfinished| {
            let told = groups(&marks, 14, unfinished).into_iter();
            told.map(|group| (group.from, group.to, group.name, group.open))
                .collect::<Vec<_>>()
        };
        let wanted = [
            (1, 2, "Setting up", false),
            (3, 4, "Tests", true),
            (5, 14, "Building", true),
            (7, 9, "Dependencies", false),
            (10, 12, "Preparing", false),
        ];
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|(a, b, name, open)| (a, b, name.to_owned(), open))
            .collect();
        assert_eq!(told(false), wanted);
        let late = read(1, &lines(&["::group::Going on", "x", "y"]));
        assert!(groups(&late, 3, true)[0].open && !groups(&late, 3, false)[0].open);
        assert_eq!(groups(&marks, 14, false)[3].took_ms, Some(2000));
    }

    #[test]
    fn what_is_searched_is_plain_and_lower_and_says_where_it_came_from() {
        let mut lines = lines(&["\x1b[31mRED\x1b[0m ÄPFEL", "b\0\nc"]);
        lines[1].source = LogSource::Err;
        assert_eq!(searchable(&lines), "\u{1}red äpfel\n\u{2}bc");
    }
}
