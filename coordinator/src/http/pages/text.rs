//! Pages for programs that show text: `curl` gets what a browser would show, as aligned plain text.
//!
//! Drawn from the same regions, so that it says nothing else; forms and pictures are left out.

use axum::http::{HeaderMap, header};
use html2text::config;
use pointsman_domain::Refusal;

use super::shown::Shown;

/// Columns of the text.
const COLUMNS: usize = 120;

/// Whether the client is one of those that people read text with.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let agent = text(header::USER_AGENT).unwrap_or_default().to_lowercase();
    let reads = ["curl/", "wget/", "httpie/", "xh/"]
        .iter()
        .any(|name| agent.starts_with(name));
    reads && !text(header::ACCEPT).is_some_and(|accept| accept.contains("text/html"))
}

/// Our own pages never put a form into a form.
fn without_forms(html: &str) -> String {
    let mut pieces = html.split("<form");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        kept.push_str(piece.split_once("</form>").map_or("", |(_, after)| after));
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
    config::plain_no_decorate()
        .no_link_wrapping()
        .string_from_read(html.as_bytes(), COLUMNS)
        .map_err(|error| Refusal::invalid("no_text", format!("this page cannot be shown as text: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_left_out_and_the_rest_stays() {
        let html = "a<form method=\"post\"><button>go</button></form>b<form>c</form>d";
        assert_eq!(without_forms(html), "abd");
        assert_eq!(without_forms("plain"), "plain");
    }
}
