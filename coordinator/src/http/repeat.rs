//! Requests that may be repeated: the same principal, key and body get the same answer for a day.
//!
//! The claim that makes it safe lives in the transactions of the operation itself: [`pointsman_store::idempotency`].
//! Answers that hold a secret are not kept; a repeat of theirs is told so.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pointsman_shared::api::{IDEMPOTENCY_KEY, Problem};
use pointsman_shared::digest::Digest;
use pointsman_store::idempotency::{self, Claim, Known};

use super::caller::Caller;
use super::edge::RequestId;
use super::problem::{self, Answer, Failed};
use crate::app::App;
use crate::error::OperationResult;

/// Largest body of a request, in bytes.
pub(super) const MAX_BODY: usize = 1 << 20;
/// How often, and how long apart, a repeat looks for the answer of an attempt that is about to give it.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Marks an answer that must not be kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Secret;

/// Runs a change, once per key.
pub(super) async fn once(
    app: &App,
    mut caller: Caller,
    mut request: Request,
    next: Next,
) -> Answer<Response> {
    let Some(key) = key(&request)? else {
        request.extensions_mut().insert(caller);
        return Ok(next.run(request).await);
    };
    let id = request
        .extensions()
        .get::<RequestId>()
        .cloned()
        .unwrap_or_default();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| {
        Failed::unread(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "the body is larger than 1 MiB or broke off",
        )
    })?;
    let asked = format!("{} {}\n", parts.method, parts.uri);
    let whole = zeroize::Zeroizing::new([asked.as_bytes(), &body].concat());
    // A body may hold a short secret, which nobody must be able to guess from what is kept.
    let digest = match &app.vault {
        Some(vault) => vault.fingerprint(&whole),
        None => Digest::of(&whole),
    };
    let claim = Claim {
        principal: caller.actor.principal,
        key,
        attempt: app.ids.next(),
    };
    match settle(app, &claim, &digest).await? {
        Known::Mine => {}
        Known::OtherRequest => return Err(other_request()),
        Known::Answered { status, answer } => return Ok(replay(status, answer)),
        Known::Done => return Err(answer_lost()),
    }
    let claim = Arc::new(claim);
    caller.app.store = app.store.claimed(Arc::clone(&claim));
    let mut request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(caller);
    let response = problem::written(next.run(request).await, &id.0);
    keep(app, &claim, response).await
}

fn key(request: &Request) -> Answer<Option<String>> {
    let Some(value) = request.headers().get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|key| (1..=200).contains(&key.len()));
    let key = key.ok_or_else(|| {
        let what = "the header idempotency-key must be 1 to 200 printable ASCII characters";
        Failed::unread(StatusCode::BAD_REQUEST, "invalid_idempotency_key", what)
    })?;
    Ok(Some(key.to_owned()))
}

/// Claims the key; where an attempt has committed and is about to answer, waits a moment for its answer.
async fn settle(app: &App, claim: &Claim, request: &Digest) -> OperationResult<Known> {
    let mut known = Known::Done;
    for _ in 0..LOOKS {
        let mut conn = app.store.read().await?;
        known = idempotency::claim(&mut conn, claim, request, app.clock.now()).await?;
        drop(conn);
        match known {
            Known::Done => tokio::time::sleep(PAUSE).await,
            Known::Mine | Known::OtherRequest | Known::Answered { .. } => break,
        }
    }
    Ok(known)
}

/// Keeps the answer for repeats; where nothing was changed and the trouble was ours, forgets the attempt.
async fn keep(app: &App, claim: &Claim, response: Response) -> Answer<Response> {
    let status = response.status();
    let mut conn = app
        .store
        .read()
        .await
        .map_err(crate::error::OperationError::from)?;
    if status.is_server_error() || response.extensions().get::<Secret>().is_some() {
        idempotency::forget(&mut conn, claim)
            .await
            .map_err(crate::error::OperationError::from)?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes: Bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let answer = String::from_utf8_lossy(&bytes);
    if let Err(error) = idempotency::keep_answer(&mut conn, claim, status.as_u16(), &answer).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "an answer could not be kept for its repeats"
        );
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replay(status: u16, answer: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let media = if status.is_success() {
        "application/json"
    } else {
        problem_media()
    };
    let mut response = (status, answer).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
        .headers_mut()
        .insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}

const fn problem_media() -> &'static str {
    pointsman_shared::api::problem::MEDIA_TYPE
}

fn other_request() -> Failed {
    let problem = Problem::new(
        409,
        "idempotency_key_reused",
        "this idempotency key belongs to another request",
    );
    Failed::new(problem.hint("use a new key for a new request"))
}

fn answer_lost() -> Failed {
    let problem = Problem::new(
        409,
        "answer_not_kept",
        "the request was carried out before, and its answer is not kept",
    );
    Failed::new(problem.hint("look at what is there now: pointsman status, pointsman audit"))
}
