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

/// The page as text.
pub(super) fn of(shown: &Shown) -> Result<String, Refusal> {
    let html: String = shown.regions.iter().map(|region| region.html.as_str()).collect();
    config::plain_no_decorate()
        .no_link_wrapping()
        .string_from_read(html.as_bytes(), COLUMNS)
        .map_err(|error| Refusal::invalid("no_text", format!("this page cannot be shown as text: {error}")))
}
