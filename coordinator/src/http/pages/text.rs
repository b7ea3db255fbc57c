//! Pages for programs that show text: `curl` gets what a browser would show, as aligned plain text.
//!
//! Drawn from the same regions, so that it says nothing else; controls and pictures are left out.

use axum::http::{HeaderMap, header};
use html2text::config;
use pointsman_domain::Refusal;

use super::shown::Shown;

/// Columns of the text at most, which wide tables need.
const COLUMNS: usize = 160;
/// Columns of what is read as sentences.
const SENTENCE: usize = 120;
/// Columns that a cell gets before its words are broken: nine of them stand beside each other.
const CELL: usize = 16;

/// Whether the client is one of those that people read text with.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let agent = text(header::USER_AGENT).unwrap_or_default().to_lowercase();
    let reads = ["curl/", "wget/", "httpie/", "xh/"]
        .iter()
        .any(|name| agent.starts_with(name));
    reads && !text(header::ACCEPT).is_some_and(|accept| accept.contains("text/html"))
}

/// Forms are left out; of one that stands around a table, what it holds beside its controls stays. Our own pages never put a
/// form into a form.
fn without_forms(html: &str) -> String {
    let mut pieces = html.split("<form");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (form, after) = piece.split_once("</form>").unwrap_or((piece, ""));
        if let Some((_, table)) = form.split_once("<table") {
            kept.push_str("<table");
            kept.push_str(&without_buttons(table));
        }
        kept.push_str(after);
    }
    kept
}

fn without_buttons(html: &str) -> String {
    let mut pieces = html.split("<button");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        kept.push_str(piece.split_once("</button>").map_or("", |(_, after)| after));
    }
    kept
}

/// The page as text.
pub(super) fn of(shown: &Shown) -> Result<String, Refusal> {
    // Nothing can be pressed here; and what stands beside each other needs room between.
    let html: String = shown
        .regions
        .iter()
        .map(|region| without_forms(&region.html))
        .collect();
    let html = html.replace("<span", " <span").replace("<a ", " <a ");
    set(&html)
        .map_err(|error| Refusal::invalid("no_text", format!("this page cannot be shown as text: {error}")))
}

/// Sets mark-up in columns; of a table that is too wide the longest cells are wrapped, not the names beside them.
fn set(html: &str) -> Result<String, html2text::Error> {
    config::plain_no_decorate()
        .no_link_wrapping()
        .max_wrap_width(SENTENCE)
        .min_wrap_width(CELL)
        .allow_width_overflow()
        .string_from_read(html.as_bytes(), COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_left_out_and_the_rest_stays() {
        let html = "a<form method=\"post\"><button>go</button></form>b<form>c</form>d";
        assert_eq!(without_forms(html), "abd");
        assert_eq!(without_forms("plain"), "plain");
        let board = "<form><div><table><td>1.0<button>Plan</button></td></table></div></form>z";
        assert_eq!(without_forms(board), "<table><td>1.0</td></table></div>z");
    }

    #[test]
    fn a_wide_table_wraps_its_longest_cells_and_keeps_the_names() {
        let names = "<td>shop@production</td>".repeat(8);
        let why = "the disk is full ".repeat(20);
        let heads = "<th>On</th>".repeat(9);
        let html = format!("<table><tr>{heads}</tr><tr>{names}<td>{why}</td></tr></table>");
        let text = set(&html).unwrap();
        assert_eq!(text.matches("shop@production").count(), 8, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
    }
}
