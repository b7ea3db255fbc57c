//! What every request passes: an id, a line in the log, a net under panics, headers that browsers need.

use std::any::Any;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pointsman_shared::api::Problem;
use tracing::Span;

use super::problem::{self, Failed};
use crate::app::App;

/// Header that carries the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id under which the log knows a request.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestId(pub(super) String);

/// Gives the request an id, writes problems under it, and adds the headers.
pub(super) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = app.ids.next().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = problem::written(next.run(request).await, &id);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    response
}

/// The span of a request; all its log lines carry it.
pub(super) fn span(request: &axum::http::Request<Body>) -> Span {
    let id = request.extensions().get::<RequestId>().map_or("", |id| &id.0);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    tracing::info_span!("request", request.id = id, http.method = %request.method(), http.route = route)
}

/// One line per answer.
pub(super) fn answered(response: &Response, took: Duration, _span: &Span) {
    let status = response.status().as_u16();
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(http.status = status, took_ms, "answered");
}

/// A handler panicked: one request is lost, the process is not.
#[expect(clippy::needless_pass_by_value, reason = "the shape tower-http asks for")]
pub(super) fn caught(panic: Box<dyn Any + Send>) -> Response {
    let words = panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    panicked(&words)
}

/// The answer to a request whose handler panicked.
pub(super) fn panicked(words: &str) -> Response {
    tracing::error!("a handler panicked: {words}");
    let problem = Problem::new(500, "internal", "something went wrong inside the coordinator")
        .hint("its log tells more under the id of this request");
    Failed::new(problem).into_response()
}

/// No such route.
pub(super) async fn nowhere(request: Request) -> Failed {
    let what = format!("there is nothing at {}", request.uri().path());
    Failed::new(Problem::new(404, "unknown_route", what))
}

/// No such method on this route.
pub(super) async fn no_such_method(request: Request) -> Failed {
    let what = format!(
        "{} cannot be used with {}",
        request.uri().path(),
        request.method()
    );
    Failed::new(Problem::new(405, "method_not_allowed", what))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    async fn breaks() -> &'static str {
        panic!("broken")
    }

    #[tokio::test]
    async fn a_panic_costs_one_request_and_tells_nothing() {
        let router: Router = Router::new()
            .route("/", get(breaks))
            .layer(CatchPanicLayer::custom(caught));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        let response = problem::written(response, "7");
        assert_eq!(response.status(), 500);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (problem.code.as_str(), problem.request.as_deref()),
            ("internal", Some("7"))
        );
        assert!(!String::from_utf8_lossy(&body).contains("broken"));
    }
}
