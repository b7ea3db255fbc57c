//! The little web server of a host: what an nginx with a `root .../current` does, plus a header that tells the release.
//!
//! It resolves `current` once per request and serves only from the release found then, so that no answer mixes two.
//! It refuses to leave the release except over the links that the release itself contains.

use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::error::{Error, Result};

/// The header that names the release folder.
pub const RELEASE_HEADER: &str = "pointsman-release";

/// What is served: `<root>/current/<public>`.
#[derive(Debug, Clone)]
pub struct Site {
    /// The root of a placement.
    pub root: PathBuf,
    /// The folder of a release that is shown; the release itself when empty.
    pub public: PathBuf,
}

/// Serves a site at `listen` until the process ends.
pub async fn serve(site: Site, listen: SocketAddr) -> Result<()> {
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .map_err(Error::io(format!("listening on {listen}")))?;
    let app = Router::new().fallback(answer).with_state(Arc::new(site));
    axum::serve(listener, app)
        .await
        .map_err(Error::io("serving the web site"))
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response<Body> {
    let Some((name, release)) = live_release(&site.root) else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "no release is live here\n");
    };
    let mut response = match request.uri().path() {
        "/healthz" => health(&release).await,
        path => file(&release.join(&site.public), path),
    };
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(RELEASE_HEADER, name);
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The folder that `current` names, and its path.
fn live_release(root: &Path) -> Option<(String, PathBuf)> {
    let release = fs_err::read_link(root.join("current")).ok()?;
    let name = release.file_name()?.to_str()?.to_owned();
    Some((name, root.join(release)))
}

/// The release decides by a file `healthz` how well it is: `fail`, `hang`, anything else.
async fn health(release: &Path) -> Response<Body> {
    let word = fs_err::read_to_string(release.join("healthz")).unwrap_or_default();
    match word.trim() {
        "fail" => plain(StatusCode::INTERNAL_SERVER_ERROR, "this release is broken\n"),
        "hang" => std::future::pending().await,
        _ => plain(StatusCode::OK, "ok\n"),
    }
}

fn file(public: &Path, path: &str) -> Response<Body> {
    let Some(relative) = decode(path) else {
        return plain(StatusCode::BAD_REQUEST, "this is no path of a file\n");
    };
    let found = public.join(relative);
    let file = if found.is_dir() {
        found.join("index.html")
    } else {
        found.clone()
    };
    let (kind, bytes) = if let Ok(bytes) = fs_err::read(&file) {
        (media_type(&file), bytes)
    } else if let Some(names) = listing(&found) {
        ("text/plain; charset=utf-8", names.into_bytes())
    } else {
        return plain(StatusCode::NOT_FOUND, "the live release has no such file\n");
    };
    let mut response = Response::new(Body::from(bytes));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// What lies in a folder, a name per line: a release need not be a web site.
fn listing(folder: &Path) -> Option<String> {
    let entries = fs_err::read_dir(folder).ok()?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned() + "\n")
        .collect();
    names.sort();
    Some(names.concat())
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

/// The path below the release, percent-decoded; none when it is malformed or climbs.
fn decode(path: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.trim_start_matches('/').bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    let path = PathBuf::from(std::ffi::OsString::from(String::from_utf8(bytes).ok()?));
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
        .then_some(path)
}

fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("txt" | "md") | None => "text/plain; charset=utf-8",
        Some(_) => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_and_may_not_climb() {
        assert_eq!(decode("/a%20b/c.html"), Some(PathBuf::from("a b/c.html")));
        assert_eq!(decode("/"), Some(PathBuf::new()));
        assert_eq!(decode("/a/%2e%2e/%2e%2e/etc/passwd"), None);
        assert_eq!(decode("/a%2"), None);
    }

    #[test]
    fn the_live_release_is_what_current_names() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(live_release(root.path()), None);
        std::os::unix::fs::symlink("releases/000042-3f9c1e20ab12", root.path().join("current")).unwrap();
        let (name, path) = live_release(root.path()).unwrap();
        assert_eq!(name, "000042-3f9c1e20ab12");
        assert_eq!(path, root.path().join("releases/000042-3f9c1e20ab12"));
    }
}
