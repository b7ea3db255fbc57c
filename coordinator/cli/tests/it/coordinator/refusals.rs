//! The door: who may come in, what every change must carry, and what a refusal looks like.

use std::collections::hash_map::Entry;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pointsman_shared::api::problem::MEDIA_TYPE;
use pointsman_shared::api::{IDEMPOTENCY_KEY, Problem};

use super::{LUCY, Shared, VERA};

/// A refusal as the API words it.
pub struct Refusal(Box<Problem>);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap();
        (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], Json(self.0)).into_response()
    }
}

/// There is no such thing; a hint where a name is near.
pub fn unknown(what: &str, name: &str, near: Option<&str>) -> Refusal {
    let mut problem = Problem::new(
        404,
        &format!("unknown_{what}"),
        format!("there is no {what} {name:?}"),
    );
    problem.request = Some("0193-request".to_owned());
    if let Some(near) = near {
        problem = problem.hint(format!("did you mean {near}?"));
    }
    problem.into()
}

/// The state of things forbids it.
pub fn conflict(code: &str, title: &str, detail: &str, hint: &str) -> Refusal {
    Problem::new(409, code, title).detail(detail).hint(hint).into()
}

pub async fn no_route() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Checks the token and the key; answers a repeated key with the first answer.
pub async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if shared.world().is_away {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let role = match bearer(request.headers()) {
        Some(token) if token == LUCY => "admin",
        Some(token) if token == VERA => "viewer",
        _ => {
            let problem = Problem::new(401, "unauthenticated", "the token is not accepted");
            return refuse(problem.detail("no such token, or it was revoked"));
        }
    };
    if request.method() == Method::GET {
        return next.run(request).await;
    }
    if role == "viewer" {
        let problem = Problem::new(403, "forbidden", "vera may not do this");
        return refuse(
            problem
                .detail("it needs the role deployer, vera is a viewer")
                .hint("ask an admin"),
        );
    }
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY).cloned() else {
        return refuse(Problem::new(
            400,
            "idempotency_key_missing",
            "a change without a key",
        ));
    };
    let key = key.to_str().unwrap().to_owned();
    if let Some((status, body)) = shared.world().answered.get(&key).cloned() {
        return (status, body).into_response();
    }
    let (parts, body) = next.run(request).await.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut world = shared.world();
    if let Entry::Vacant(entry) = world.answered.entry(key) {
        entry.insert((parts.status, body.clone()));
    }
    if world.answers_to_lose > 0 {
        world.answers_to_lose -= 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    Response::from_parts(parts, Body::from(body))
}

fn refuse(problem: Problem) -> Response {
    Refusal::from(problem).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}
