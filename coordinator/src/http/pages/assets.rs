//! The dashboard's own files, inside the binary: named by what they hold, so that a browser keeps them for good.
//!
//! Nothing is read from the disk, and nothing comes from elsewhere.

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pointsman_shared::digest::Digest;

use super::super::extract::Path;
use super::super::problem::{Answer, Failed};

struct Asset {
    name: &'static str,
    path: String,
    media: &'static str,
    text: String,
}

/// Modules, those that are imported first: the importer holds the digest of what it imports.
const FILES: [(&str, &str, &str); 11] = [
    (
        "app.css",
        "text/css; charset=utf-8",
        include_str!("assets/app.css"),
    ),
    ("time.js", JS, include_str!("assets/time.js")),
    ("forms.js", JS, include_str!("assets/forms.js")),
    ("log.js", JS, include_str!("assets/log.js")),
    ("palette.js", JS, include_str!("assets/palette.js")),
    ("live.js", JS, include_str!("assets/live.js")),
    ("app.js", JS, include_str!("assets/app.js")),
    ("quiet.svg", SVG, include_str!("assets/quiet.svg")),
    ("running.svg", SVG, include_str!("assets/running.svg")),
    ("good.svg", SVG, include_str!("assets/good.svg")),
    ("bad.svg", SVG, include_str!("assets/bad.svg")),
];
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let mut assets: Vec<Asset> = Vec::with_capacity(FILES.len());
    for (name, media, text) in FILES {
        let text = assets.iter().fold(text.to_owned(), |text, known| {
            text.replace(&format!("\"./{}\"", known.name), &format!("\"{}\"", known.path))
        });
        let digest = hex::encode(Digest::of(text.as_bytes()).as_bytes());
        let (stem, end) = name.split_once('.').unwrap_or((name, ""));
        let short = digest.get(..12).unwrap_or_default();
        assets.push(Asset {
            name,
            path: format!("/assets/{stem}.{short}.{end}"),
            media,
            text,
        });
    }
    assets
});

/// The address of a file of ours.
pub(super) fn path(name: &str) -> &'static str {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    found.map_or("/assets/unknown", |asset| asset.path.as_str())
}

/// `GET /assets/{name}`
pub(super) async fn show(Path(name): Path<String>) -> Answer<Response> {
    let found = ASSETS
        .iter()
        .find(|asset| asset.path.strip_prefix("/assets/") == Some(name.as_str()));
    let asset = found.ok_or_else(|| {
        let what = "there is no such file; a newer coordinator may have taken over, so load the page again";
        Failed::unread(StatusCode::NOT_FOUND, "unknown_asset", what)
    })?;
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
    ];
    Ok((headers, asset.text.as_str()).into_response())
}
