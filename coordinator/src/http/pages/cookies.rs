//! Cookies of the dashboard: the session's, and those that say how pages look.
//!
//! A session's is out of reach of scripts and of other sites; behind https it is bound to this host.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};

use super::shown::Went;
use crate::app::App;

/// The cookie's name. Behind https the browser itself keeps it to this host and to encrypted lines.
pub(super) fn cookie_name(app: &App) -> &'static str {
    if is_https(app) {
        "__Host-pointsman"
    } else {
        "pointsman"
    }
}

pub(super) fn is_https(app: &App) -> bool {
    app.config.http.public_url.scheme() == "https"
}

/// The value of a cookie.
pub(super) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// Leads to a page with a new session's cookie.
pub(super) fn signed_in(app: &App, secret: &str, to: &str) -> Response {
    let mut response = Went(to.to_owned()).into_response();
    begin(app, secret, &mut response);
    response
}

/// Gives a new session's cookie.
pub(super) fn begin(app: &App, secret: &str, response: &mut Response) {
    let cookie = format!("{}={secret}; Path=/; HttpOnly; SameSite=Strict", cookie_name(app));
    give(app, &cookie, response);
}

/// Leads to the sign-in without the cookie.
pub(super) fn signed_out(app: &App) -> Response {
    let gone = format!(
        "{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
        cookie_name(app)
    );
    with_cookie(app, &gone, "/sign-in")
}

/// Leads to a page and sets a cookie.
pub(super) fn with_cookie(app: &App, cookie: &str, to: &str) -> Response {
    let mut response = Went(to.to_owned()).into_response();
    give(app, cookie, &mut response);
    response
}

fn give(app: &App, cookie: &str, response: &mut Response) {
    let secure = if is_https(app) { "; Secure" } else { "" };
    if let Ok(value) = HeaderValue::from_str(&format!("{cookie}{secure}")) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}
