//! Where a request comes from, as far as the browser says it: a page of ours, or another site.

use askama::Template;
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::super::problem::{Answer, Failed};
use super::done::Done;
use super::shown::Went;

/// A page that leads to itself once more, from here.
#[derive(Template)]
#[template(
    source = r#"<!doctype html><html lang="en"><meta http-equiv="refresh" content="0;url={{ address }}"><title>Pointsman</title>"#,
    ext = "html"
)]
struct Again<'a> {
    address: &'a str,
}

/// A form that another site sent is refused, whatever it holds.
pub(super) fn came_from_here(headers: &HeaderMap) -> Answer<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let here = match text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        // Older browsers say where a form came from; programs say nothing, and hold no cookie by accident.
        None => text(ORIGIN.as_str()).is_none_or(|origin| {
            let host = text(HOST.as_str()).unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, from)| from == host)
        }),
    };
    if here {
        return Ok(());
    }
    let what = "this form was sent by another site; nothing was changed";
    Err(Failed::unread(StatusCode::FORBIDDEN, "other_origin", what))
}

/// Whether the browser itself says that a page of ours led here.
pub(super) fn is_of_ours(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site == "same-origin")
}

/// Whether a link on another site led here: the strict cookie did not come along, whoever it is.
pub(super) fn came_across(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("sec-fetch-site") == Some("cross-site") && text("sec-fetch-mode") == Some("navigate")
}

/// To the sign-in, and back here afterwards. A link on another site comes without the strict cookie, although the
/// person may be signed in: it is loaded once more, from here.
pub(super) fn sign_in_first(request: &Request) -> Response {
    let from = request
        .extensions()
        .get::<super::wrap::Asked>()
        .map_or_else(|| request.uri().to_string(), |asked| asked.uri.clone());
    // What a press came to is for whoever pressed, and not for whoever follows a link.
    let (from, _) = Done::taken(&from);
    let site = request.headers().get("sec-fetch-site");
    if site.is_some_and(|site| site == "cross-site") {
        let again = Again { address: &from }.render();
        return axum::response::Html(again.unwrap_or_default()).into_response();
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", &from);
    Went(format!("/sign-in?{}", query.finish())).into_response()
}
