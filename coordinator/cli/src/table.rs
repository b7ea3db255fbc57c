//! Aligned tables, never wider than the terminal.
//!
//! Text stands left, numbers right. Where the terminal is too narrow, columns that may be cut are cut to an ellipsis
//! first, then the least important ones are left out; ids and names are never cut, so that they stay copyable. A table
//! that goes to a file or pipe is neither cut nor shortened.

mod cell;

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

pub use cell::Cell;

use crate::printer::Tone;

/// What becomes of a column when the terminal is narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrow {
    /// It stays whole.
    Keep,
    /// It is cut, to no less than this many characters.
    Cut(usize),
    /// It is left out; the highest number (from 1) first.
    Drop(u8),
}

/// A table: columns, then rows of as many cells.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(Cow<'static, str>, Narrow)>,
    rows: Vec<Vec<Cell>>,
}

const GAP: usize = 2;

impl Table {
    /// An empty table.
    pub fn new<T: Into<Cow<'static, str>>>(columns: impl IntoIterator<Item = (T, Narrow)>) -> Self {
        Self {
            columns: columns
                .into_iter()
                .map(|(title, narrow)| (title.into(), narrow))
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; one cell per column.
    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        let cells = cells.into();
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell per column");
        self.rows.push(cells);
    }

    /// Whether it can be shown in so many columns without leaving one out.
    pub fn fits(&self, available: usize, now: DateTime<Utc>) -> bool {
        let texts = self.texts(now);
        let widths = self.fit(&texts, available);
        shown(&widths) == shown(&self.natural(&texts)) && total(&widths) <= available
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Rows of exact values between tabs, without a heading.
    pub fn for_scripts(&self) -> String {
        let mut lines = String::new();
        for row in &self.rows {
            let fields: Vec<String> = row.iter().map(Cell::for_scripts).collect();
            lines.push_str(&fields.join("\t"));
            lines.push('\n');
        }
        lines
    }

    /// Aligned and coloured, at most `width` wide, with the number of columns that were left out.
    pub fn for_people(&self, width: Option<usize>, now: DateTime<Utc>) -> (String, usize) {
        let texts = self.texts(now);
        let widths = self.fit(&texts, width.unwrap_or(usize::MAX));
        let mut lines = String::new();
        let headings: Vec<String> = self
            .columns
            .iter()
            .map(|(title, _)| title.clone().into_owned())
            .collect();
        self.line(&mut lines, &headings, &widths, |_| Tone::Heading);
        for (row, texts) in self.rows.iter().zip(&texts) {
            self.line(&mut lines, texts, &widths, |column| {
                row.get(column).map_or(Tone::Plain, Cell::tone)
            });
        }
        (lines, shown(&self.natural(&texts)) - shown(&widths))
    }

    fn texts(&self, now: DateTime<Utc>) -> Vec<Vec<String>> {
        let of_row = |row: &Vec<Cell>| row.iter().map(|cell| cell.for_people(now)).collect();
        self.rows.iter().map(of_row).collect()
    }

    /// The width of each column; none for those left out. Cuts as much as it may before it leaves a column out, and
    /// no more than it must.
    fn fit(&self, texts: &[Vec<String>], available: usize) -> Vec<Option<usize>> {
        let mut widths = self.natural(texts);
        let mut droppable: Vec<(u8, usize)> = self
            .narrows()
            .filter_map(|(at, narrow)| match narrow {
                Narrow::Drop(order) => Some((order, at)),
                // The last resort, from the right: a line that wraps is no line.
                Narrow::Cut(_) => Some((0, at)),
                Narrow::Keep => None,
            })
            .collect();
        droppable.sort_unstable();
        while total(&self.cut_widths(&widths, available)) > available {
            let Some((_, at)) = droppable.pop() else { break };
            widths[at] = None;
        }
        self.cut_widths(&widths, available)
    }

    /// Each column as wide as its widest text; one that may go and says nothing in any row is not there at all.
    fn natural(&self, texts: &[Vec<String>]) -> Vec<Option<usize>> {
        let width = |(at, narrow): (usize, Narrow)| {
            let says_nothing = self.rows.iter().all(|row| row.get(at) == Some(&Cell::Nothing));
            let title = self.columns.get(at).map_or(0, |(title, _)| title.width());
            let widest = texts
                .iter()
                .filter_map(|row| row.get(at))
                .map(|text| text.width());
            (narrow == Narrow::Keep || !says_nothing).then(|| widest.chain([title]).max().unwrap_or(0))
        };
        self.narrows().map(width).collect()
    }

    /// These widths with columns cut, the one with the most to spare first.
    fn cut_widths(&self, widths: &[Option<usize>], available: usize) -> Vec<Option<usize>> {
        let mut widths = widths.to_vec();
        while let Some(excess) = total(&widths).checked_sub(available).filter(|excess| *excess > 0) {
            let spare = |(at, narrow): (usize, Narrow)| match (narrow, widths.get(at).copied().flatten()) {
                (Narrow::Cut(least), Some(width)) if width > least => Some((width - least, at)),
                (Narrow::Keep | Narrow::Cut(_) | Narrow::Drop(_), _) => None,
            };
            let Some((most, at)) = self.narrows().filter_map(spare).max() else {
                break;
            };
            widths[at] = widths[at].map(|width| width - most.min(excess));
        }
        widths
    }

    fn narrows(&self) -> impl Iterator<Item = (usize, Narrow)> + '_ {
        self.columns.iter().map(|(_, narrow)| *narrow).enumerate()
    }

    fn line(
        &self,
        lines: &mut String,
        texts: &[String],
        widths: &[Option<usize>],
        tone: impl Fn(usize) -> Tone,
    ) {
        let mut line = String::new();
        let mut pending = 0;
        for (column, (text, width)) in texts.iter().zip(widths).enumerate() {
            let Some(width) = *width else { continue };
            let shown = cut(text, width);
            let space = width.saturating_sub(shown.width());
            let (before, after) = if self.stands_right(column) {
                (space, 0)
            } else {
                (0, space)
            };
            // Padding waits until something follows it, so that no line ends in blanks.
            let _infallible = write!(
                line,
                "{:pending$}{:before$}{}",
                "",
                "",
                tone(column).paint(&shown)
            );
            pending = after + GAP;
        }
        lines.push_str(line.trim_end());
        lines.push('\n');
    }

    fn stands_right(&self, column: usize) -> bool {
        self.rows
            .iter()
            .any(|row| row.get(column).is_some_and(Cell::stands_right))
    }
}

fn total(widths: &[Option<usize>]) -> usize {
    widths.iter().flatten().sum::<usize>() + GAP * shown(widths).saturating_sub(1)
}

fn shown(widths: &[Option<usize>]) -> usize {
    widths.iter().flatten().count()
}

/// `text` in at most `width` columns; an ellipsis says that more was there.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            ("NAME", Narrow::Keep),
            ("SIZE", Narrow::Drop(1)),
            ("SUBJECT", Narrow::Cut(10)),
        ]);
        table.row([
            "shop".into(),
            Cell::Bytes(41_000_000),
            "Fix the rounding of VAT in the cart".into(),
        ]);
        table.row([
            "blog-long-name".into(),
            Cell::Bytes(812),
            "日本語のコミット".into(),
        ]);
        table
    }

    fn rendered(width: Option<usize>) -> String {
        anstream::adapter::strip_str(&table().for_people(width, DateTime::UNIX_EPOCH).0).to_string()
    }

    #[test]
    fn numbers_stand_right_and_nothing_is_cut_without_a_terminal() {
        insta::assert_snapshot!(rendered(None), @"
        NAME             SIZE  SUBJECT
        shop            41 MB  Fix the rounding of VAT in the cart
        blog-long-name  812 B  日本語のコミット
        ");
    }

    #[test]
    fn a_narrow_terminal_cuts_text_then_leaves_columns_out() {
        insta::assert_snapshot!(rendered(Some(36)), @"
        NAME             SIZE  SUBJECT
        shop            41 MB  Fix the roun…
        blog-long-name  812 B  日本語のコミ…
        ");
        insta::assert_snapshot!(rendered(Some(28)), @"
        NAME            SUBJECT
        shop            Fix the rou…
        blog-long-name  日本語のコ…
        ");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 6), "日本語");
    }

    #[test]
    fn scripts_get_exact_values_between_tabs() {
        assert!(
            table()
                .for_scripts()
                .starts_with("shop\t41000000\tFix the rounding")
        );
    }
}
