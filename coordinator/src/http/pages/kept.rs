//! What somebody had typed when their session was over: it goes with them through the sign-in and is shown again, to be
//! sent by one more press.
//!
//! Nothing of it is kept here; it travels in the forms themselves, so it takes no script. It takes what a page of ours
//! sent, carries no secret, leads to no other site, and sends nothing by itself: whoever signed in sees what would be
//! sent, and their press needs the proof of the new session.

use askama::Template;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest as _, Request};
use axum::http::header::REFERER;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use pointsman_shared::api::Problem;
use serde::de::DeserializeOwned;

use super::super::extract::Form;
use super::super::problem::{Answer, Failed};
use super::super::repeat::MAX_BODY;
use super::super::router::Api;
use super::done::Done;
use super::format;
use super::shown::{Place, Shown};
use super::sign_in::{self, local};
use super::viewer::{PROOF, Viewer};
use crate::app::App;

/// Fields that are never carried: they hold, or may hold, a secret.
const SECRET: [&str; 9] = [
    "password",
    "old",
    "chosen",
    "again",
    "secret",
    "token",
    "value",
    "place",
    "private_key",
];

/// A press that nobody was signed in for any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// Where it went.
    pub(super) to: String,
    /// The page that it was on.
    pub(super) from: String,
    /// Its fields, in their order.
    pub(super) fields: Vec<(String, String)>,
    /// Whether a secret stayed behind.
    pub(super) less: bool,
    /// Whether it asks for a fresh sign-in, and so for one by somebody who is signed in, too.
    pub(super) fresh: bool,
}

impl Kept {
    fn of(parts: &Parts, body: &[u8]) -> Self {
        let mut kept = Self::again(parts.uri.path(), &page(&parts.headers), body);
        let all = kept.fields.len();
        kept.fields.retain(|(name, _)| !SECRET.contains(&name.as_str()));
        kept.less = kept.fields.len() < all;
        kept
    }

    /// What a form of the sign-in brought along.
    pub(super) fn again(to: &str, from: &str, fields: &[u8]) -> Self {
        let fields = url::form_urlencoded::parse(fields).filter(|(name, _)| name != PROOF);
        Self {
            to: local(to).to_owned(),
            from: local(from).to_owned(),
            fields: fields
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            less: false,
            fresh: false,
        }
    }

    /// Why it stands at the sign-in.
    pub(super) fn why(&self, app: &App) -> String {
        if !self.fresh {
            return "You are not signed in any more, so nothing was changed.".to_owned();
        }
        let age = format::duration(u64::from(app.config.http.fresh_sign_in_s) * 1000);
        format!(
            "This asks for a fresh sign-in, and you signed in longer ago than {age}: sign in once more. Nothing was changed \
             yet."
        )
    }

    /// The page of the plan that it carries out, with the words that were typed there: it says what the press does.
    pub(super) fn plan(&self) -> Option<String> {
        let is_plan = self.fresh && self.to.starts_with("/plans/");
        is_plan.then(|| format!("{}?{}", self.to, self.written()))
    }

    /// Its fields as one text, for a form that carries it.
    pub(super) fn written(&self) -> String {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(&self.fields).finish()
    }

    /// The page that shows it once more to whoever is signed in now.
    pub(super) fn page(&self, viewer: Viewer) -> Answer<Response> {
        let page = Once {
            kept: self,
            name: &viewer.caller.actor.name,
            proof: &viewer.proof,
        };
        let shown = Shown::new("Press once more", Place::Nowhere, &())?.with("kept", &page)?;
        let mut response = shown.once().into_response();
        response.extensions_mut().insert(viewer);
        Ok(response)
    }
}

#[derive(Template)]
#[template(path = "kept.html")]
struct Once<'a> {
    kept: &'a Kept,
    name: &'a str,
    proof: &'a str,
}

/// A press with its form.
pub(super) async fn whole(request: Request) -> Answer<(Parts, Bytes)> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| {
        Failed::unread(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "the form is larger than 1 MiB",
        )
    })?;
    Ok((parts, body))
}

/// Reads the form of a press that was taken whole, as other handlers read theirs.
pub(super) async fn form<T: DeserializeOwned>(parts: &Parts, body: &Bytes) -> Answer<T> {
    let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
    let Form(form) = Form::from_request(request, &()).await?;
    Ok(form)
}

/// The page that a form came from, where the browser tells it.
fn page(headers: &HeaderMap) -> String {
    let from = headers.get(REFERER).and_then(|from| from.to_str().ok());
    let from = from.and_then(|from| from.parse::<Uri>().ok());
    let path = from.and_then(|from| from.path_and_query().map(ToString::to_string));
    path.map_or_else(|| "/".to_owned(), |path| Done::taken(&path).0)
}

/// The sign-in, in answer to a press: what was typed goes with it.
pub(super) fn sign_in(api: &Api, parts: &Parts, body: &[u8]) -> Answer<Response> {
    // Whoever wanted to sign out is.
    let kept = (parts.uri.path() != "/sign-out").then(|| Kept::of(parts, body));
    let what = "you are not signed in any more; nothing was changed";
    ask(api, ("signed_out", what), "", kept.as_ref())
}

/// The sign-in once more, for a press that asks for a fresh one.
pub(super) fn sign_in_again(api: &Api, viewer: &Viewer, parts: &Parts, body: &[u8]) -> Answer<Response> {
    let kept = Kept {
        fresh: true,
        ..Kept::of(parts, body)
    };
    let what = "this press asks for a fresh sign-in; nothing was changed";
    ask(
        api,
        ("sign_in_again", what),
        &viewer.caller.actor.name,
        Some(&kept),
    )
}

fn ask(api: &Api, (code, what): (&str, &str), name: &str, kept: Option<&Kept>) -> Answer<Response> {
    let problem = Problem::new(StatusCode::UNAUTHORIZED.as_u16(), code, what);
    let shown = sign_in::asked(api, &problem, name, kept)?;
    let mut response = shown.into_response();
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    Ok(response)
}

/// The same for whoever is signed in, by another session than the page's.
pub(super) fn again(viewer: Viewer, parts: &Parts, body: &[u8]) -> Answer<Response> {
    let mut response = Kept::of(parts, body).page(viewer)?;
    *response.status_mut() = StatusCode::FORBIDDEN;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn kept(to: &str, from: &str, body: &str) -> Kept {
        let request = Request::post(to).header(REFERER, from).body(()).unwrap();
        Kept::of(&request.into_parts().0, body.as_bytes())
    }

    #[test]
    fn words_travel_and_secrets_and_proofs_stay_behind() {
        let typed = "proof=ab&reason=the+fair+%26+more&reason=twice&secret=s3&value=postgres%3A%2F%2F";
        let first = kept("/d/7/cancel", "https://deploy.example/d/7?host=web-1", typed);
        assert_eq!(
            (first.to.as_str(), first.from.as_str()),
            ("/d/7/cancel", "/d/7?host=web-1")
        );
        assert!(first.less);
        assert_eq!(first.written(), "reason=the+fair+%26+more&reason=twice");
        let second = Kept::again(&first.to, &first.from, first.written().as_bytes());
        assert_eq!(second.fields, first.fields);
        assert!(!kept("/d/7/pause", "", "proof=ab").less);
    }

    #[test]
    fn a_kept_press_leads_to_no_other_site() {
        let bent = Kept::again("//evil.example/d/7", "https://evil.example/", b"a=b");
        assert_eq!((bent.to.as_str(), bent.from.as_str()), ("/", "/"));
    }

    #[test]
    fn every_field_that_hides_what_is_typed_counts_as_secret() {
        let mut folders = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/http/pages"
        ))];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs_err::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                if path.extension().is_none_or(|end| end != "html") {
                    continue;
                }
                let html = fs_err::read_to_string(&path).unwrap();
                // A key has lines, so it is typed into a larger field, which hides nothing; it asks no browser to keep it.
                let hides = |field: &&str| {
                    field.contains("type=\"password\"") || field.contains("placeholder=\"-----BEGIN")
                };
                let fields = html.split("<input").chain(html.split("<textarea"));
                for field in fields.filter_map(|field| field.split('>').next()).filter(hides) {
                    let name = field
                        .split("name=\"")
                        .nth(1)
                        .and_then(|rest| rest.split('"').next());
                    if let Some(name) = name {
                        assert!(SECRET.contains(&name), "{}: {name}", path.display());
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen >= 5, "{seen}");
    }
}
