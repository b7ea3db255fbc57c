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
    /// Its name among us.
    name: &'static str,
    path: String,
    media: &'static str,
    text: String,
}

/// Our modules, each after those it imports; a page gets them as one file, so that it takes few requests.
const MODULES: [&str; 11] = [
    include_str!("assets/time.js"),
    include_str!("assets/forms.js"),
    include_str!("assets/html.js"),
    include_str!("assets/folds.js"),
    include_str!("assets/window.js"),
    include_str!("assets/log.js"),
    include_str!("assets/palette.js"),
    include_str!("assets/words.js"),
    include_str!("assets/rows.js"),
    include_str!("assets/live.js"),
    include_str!("assets/app.js"),
];

static ASSETS: LazyLock<[Asset; 6]> = LazyLock::new(|| {
    let svg = |name, text: &str| asset(name, "image/svg+xml", text.to_owned());
    [
        asset(
            "app.css",
            "text/css; charset=utf-8",
            include_str!("assets/app.css").to_owned(),
        ),
        asset("app.js", "text/javascript; charset=utf-8", joined(&MODULES)),
        svg("quiet.svg", include_str!("assets/quiet.svg")),
        svg("running.svg", include_str!("assets/running.svg")),
        svg("good.svg", include_str!("assets/good.svg")),
        svg("bad.svg", include_str!("assets/bad.svg")),
    ]
});

fn asset(name: &'static str, media: &'static str, text: String) -> Asset {
    let digest = hex::encode(Digest::of(text.as_bytes()).as_bytes());
    let (stem, end) = name.split_once('.').unwrap_or((name, ""));
    let short = digest.get(..12).unwrap_or_default();
    Asset {
        name,
        path: format!("/assets/{stem}.{short}.{end}"),
        media,
        text,
    }
}

/// Modules one after the other, without their imports and exports: their names are one another's anyway.
fn joined(modules: &[&str]) -> String {
    let lines = modules.iter().flat_map(|module| module.lines());
    let kept = lines.filter(|line| !line.starts_with("import "));
    let bare = kept.map(|line| line.strip_prefix("export ").unwrap_or(line));
    bare.fold(String::new(), |text, line| text + line + "\n")
}

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn joined_modules_share_no_name() {
        let js = joined(&MODULES);
        let declared = js.lines().filter_map(|line| {
            let of = ["const ", "let ", "function ", "async function "];
            let rest = of.iter().find_map(|word| line.strip_prefix(word))?;
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
        });
        let mut names = BTreeSet::new();
        for name in declared {
            assert!(names.insert(name.to_owned()), "{name} is declared twice");
        }
        assert!(names.contains("live") && !js.contains("import {") && !js.contains("\nexport "));
    }

    #[test]
    fn what_a_page_loads_stays_small() {
        let sizes = |name: &str| ASSETS.iter().find(|asset| asset.name == name).unwrap().text.len();
        assert!(sizes("app.css") < 24_000, "{}", sizes("app.css"));
        assert!(sizes("app.js") < 44_000, "{}", sizes("app.js"));
    }
}
