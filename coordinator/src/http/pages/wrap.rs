//! Draws the shell around what a page shows, or writes it as JSON; draws problems as pages.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{self, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use pointsman_shared::api::Problem;

use super::super::edge::RequestId;
use super::super::problem::{self, Answer};
use super::super::router::Api;
use super::assets;
use super::company;
use super::cookies;
use super::done::Done;
use super::due;
use super::shown::{Place, Region, Shown};
use super::stop;
use super::text;
use super::viewer::Viewer;
use crate::error::OperationError;

/// Scripts, styles and pictures of our own, and nothing else; forms go nowhere else; nobody frames us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types pointsman";

/// How a page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As a page.
    Page,
    /// As data.
    Json,
    /// As text.
    Text,
}

/// What was asked for, before the address was rewritten.
#[derive(Debug, Clone)]
pub(in super::super) struct Asked {
    pub(super) form: Form,
    pub(super) uri: String,
}

/// Takes `.json` off a page's address and remembers it; the API's own addresses stay as they are.
pub(in super::super) fn rewrite(mut request: Request) -> Request {
    let uri = request.uri().to_string();
    let mut form = Form::Page;
    let path = request.uri().path();
    if !path.starts_with("/api/")
        && !path.starts_with("/assets/")
        && let Some(bare) = path.strip_suffix(".json")
    {
        let bare = if bare == "/index" || bare.is_empty() {
            "/"
        } else {
            bare
        };
        let query = request
            .uri()
            .query()
            .map_or_else(String::new, |query| format!("?{query}"));
        if let Ok(rewritten) = format!("{bare}{query}").parse::<Uri>() {
            *request.uri_mut() = rewritten;
            form = Form::Json;
        }
    }
    request.extensions_mut().insert(Asked { form, uri });
    request
}

#[derive(Template)]
#[template(path = "shell.html")]
struct Shell<'a> {
    shown: &'a Shown,
    viewer: Option<&'a Viewer>,
    installation: &'a str,
    version: &'a str,
    theme: &'a str,
    css: &'a str,
    js: &'a str,
    icon: &'a str,
    path: &'a str,
    done: Option<Done>,
    keys: bool,
    stop: &'a Region,
    due: &'a Region,
    others: &'a Region,
}

impl Shell<'_> {
    fn at(&self, place: Place) -> bool {
        self.shown.place == place
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Trouble<'a> {
    problem: &'a Problem,
    back: &'a str,
}

/// What stands around every page.
pub(in super::super) async fn wrap(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = request
        .extensions()
        .get::<RequestId>()
        .cloned()
        .unwrap_or_default();
    let asked = request.extensions().get::<Asked>().cloned();
    let uri = asked
        .as_ref()
        .map_or_else(|| request.uri().to_string(), |asked| asked.uri.clone());
    let (uri, done) = Done::told(&uri, request.headers());
    let form = asked.map_or(Form::Page, |asked| asked.form);
    let form = if form == Form::Page && text::is_wanted(request.headers()) {
        Form::Text
    } else {
        form
    };
    let theme = cookies::value(request.headers(), "theme").map(ToOwned::to_owned);
    let keys = cookies::value(request.headers(), "keys") != Some("off");
    let path = request.uri().path().to_owned();
    let is_press = request.method() == Method::POST;
    let mut response = next.run(request).await;
    let viewer = response.extensions_mut().remove::<Viewer>();
    let (stop, due) = match &viewer {
        Some(viewer) => tokio::join!(stop::region(&api.app), due::region(viewer)),
        None => (stop::none(), due::none()),
    };
    let others = match &viewer {
        Some(viewer) => api.company.seen_by(&path, viewer),
        None => company::nobody(),
    };
    let dressed = Dress {
        api: &api,
        viewer: viewer.as_ref(),
        stop: &stop,
        due: &due,
        others: &others,
        keys,
        theme: theme.as_deref(),
        uri: &uri,
        done,
        is_press,
    };
    if let Some(shown) = response.extensions_mut().remove::<Arc<Shown>>() {
        return dressed
            .page(&shown, form, &response)
            .unwrap_or_else(IntoResponse::into_response);
    }
    // Whoever asks the API reads JSON, also where nothing is.
    if form == Form::Page
        && !uri.starts_with("/api/")
        && let Some(problem) = problem::take(&mut response, &id.0)
    {
        return dressed
            .problem(&problem, response)
            .unwrap_or_else(IntoResponse::into_response);
    }
    response
}

struct Dress<'a> {
    api: &'a Api,
    viewer: Option<&'a Viewer>,
    stop: &'a Region,
    due: &'a Region,
    others: &'a Region,
    keys: bool,
    theme: Option<&'a str>,
    uri: &'a str,
    done: Option<Done>,
    is_press: bool,
}

impl Dress<'_> {
    fn page(&self, shown: &Shown, form: Form, answered: &Response) -> Answer<Response> {
        if form == Form::Json {
            let json = [(header::CONTENT_TYPE, "application/json")];
            return Ok((json, shown.data.clone()).into_response());
        }
        if form == Form::Text {
            return Ok((answered.status(), text::of(shown)?).into_response());
        }
        let app = &self.api.app;
        let shell = Shell {
            shown,
            viewer: self.viewer,
            installation: &app.config.installation.name,
            version: env!("CARGO_PKG_VERSION"),
            theme: match self.theme {
                Some("light") => "light",
                Some("dark") => "dark",
                Some(_) | None => "auto",
            },
            css: assets::path("app.css"),
            js: assets::path("app.js"),
            icon: assets::path(&format!("{}.svg", shown.mood.as_str())),
            path: self.uri,
            // A refusal says itself what became of a press, and whoever is not signed in pressed nothing.
            done: self
                .done
                .filter(|_| self.viewer.is_some() && answered.status().is_success()),
            keys: self.keys,
            stop: self.stop,
            due: self.due,
            others: self.others,
        };
        let html = shell
            .render()
            .map_err(|error| OperationError::internal("drawing a page", error))?;
        let mut response = (answered.status(), Html(html)).into_response();
        for (name, value) in answered.headers() {
            if name == header::SET_COOKIE {
                response.headers_mut().append(name, value.clone());
            }
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(
            "cross-origin-opener-policy",
            HeaderValue::from_static("same-origin"),
        );
        let keep = if shown.once {
            "no-store"
        } else {
            "no-cache, private"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
        if cookies::is_https(app) {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        Ok(response)
    }

    fn problem(&self, problem: &Problem, mut answered: Response) -> Answer<Response> {
        let title = StatusCode::from_u16(problem.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Refused");
        let back = if problem.status == 401 { "/sign-in" } else { "/" };
        let mut shown =
            Shown::new(title, Place::Nowhere, problem)?.with("problem", &Trouble { problem, back })?;
        // What a press was refused for stays: the page that has its address now is another one.
        shown.once = self.is_press;
        *answered.status_mut() =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.page(&shown, Form::Page, &answered)
    }
}
