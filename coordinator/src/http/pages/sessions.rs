//! What one's own session may change: how pages look, and its end.

use axum::extract::Form;
use axum::response::Response;
use serde::Deserialize;

use super::super::problem::Answer;
use super::cookies;
use super::sign_in::local;
use super::viewer::Viewer;
use crate::operations::begin_session;

/// The form of the appearance.
#[derive(Debug, Deserialize)]
pub(super) struct Appearance {
    #[serde(default)]
    theme: String,
    #[serde(default)]
    keys: String,
    #[serde(default)]
    back: String,
}

/// `POST /sign-out`
pub(super) async fn end(viewer: Viewer) -> Answer<Response> {
    begin_session::end(viewer.app(), &viewer.caller.actor, &viewer.session).await?;
    Ok(cookies::signed_out(viewer.app()))
}

/// `POST /appearance`
pub(super) async fn appearance(viewer: Viewer, Form(form): Form<Appearance>) -> Response {
    let chosen = match (form.theme.as_str(), form.keys.as_str()) {
        (_, "on") => "keys=on",
        (_, "off") => "keys=off",
        ("light", _) => "theme=light",
        ("dark", _) => "theme=dark",
        _ => "theme=auto",
    };
    let cookie = format!("{chosen}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly");
    cookies::with_cookie(viewer.app(), &cookie, local(&form.back))
}
