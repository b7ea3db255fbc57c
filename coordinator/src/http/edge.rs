//! What every request passes: an id, a trace, a line in the log, a count, a net under panics, headers that browsers need.

use std::any::Any;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pointsman_shared::api::Problem;
use pointsman_shared::wire::{TRACE_HEADER, TraceParent};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::problem::{self, Failed};
use crate::app::App;

/// Header that carries the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id under which the log knows a request.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestId(pub(super) String);

/// The trace a request belongs to: the caller's, or one of its own that bears the request's id.
#[derive(Debug, Clone)]
pub(super) struct RequestTrace(pub(super) TraceParent);

/// Gives the request an id and its trace, writes problems under the id, and adds the headers.
pub(super) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let unique = app.ids.next();
    let id = unique.to_string();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        request.id = id,
        http.method = %method,
        http.route = route.unwrap_or_default(),
        trace_id = tracing::field::Empty,
    );
    let given = request.headers().get(TRACE_HEADER);
    let given = given.and_then(|header| TraceParent::read(header.as_bytes()));
    let exported = pointsman_telemetry::join(&span, given.as_ref());
    let trace = exported
        .or(given)
        .unwrap_or_else(|| TraceParent::of_request(unique));
    span.record("trace_id", trace.trace_id());
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(RequestTrace(trace));
    let answer = async {
        let response = problem::written(next.run(request).await, &id);
        note(&method, response.status(), begun.elapsed());
        response
    };
    let response = with_headers(answer.instrument(span).await, &id);
    app.metrics
        .process
        .answered(&method, route, response.status(), begun.elapsed());
    response
}

/// One line per answer; those to changes are worth keeping.
fn note(method: &Method, status: StatusCode, took: Duration) {
    let status = status.as_u16();
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if method.is_safe() {
        tracing::debug!(http.status = status, took_ms, "answered");
    } else {
        tracing::info!(http.status = status, took_ms, "answered");
    }
}

fn with_headers(mut response: Response, id: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
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
    use axum::body::Body;
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
