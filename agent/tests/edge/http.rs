//! The neighbour's HTTP side: joining, objects, variables; every signature is checked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use pointsman_shared::api::agent::{JoinAnswer, JoinRequest, Membership};
use pointsman_shared::digest::Digest;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::request::{self, SignedParts};
use pointsman_shared::wire::{KeySet, Role, SigningKey};
use serde_json::json;

use crate::neighbour::{Memory, now};

/// A token's secret that the neighbour accepts.
pub const SECRET: &str = "open-sesame";

#[derive(Clone)]
struct Side {
    memory: Arc<Mutex<Memory>>,
    key: Arc<SigningKey>,
    broker_url: String,
}

/// Serves on a free port; says where.
pub async fn serve(memory: Arc<Mutex<Memory>>, key: Arc<SigningKey>, broker_url: String) -> String {
    let side = Side {
        memory,
        key,
        broker_url,
    };
    let router = Router::new()
        .route("/api/v1/agent/join", post(join))
        .route("/api/v1/agent/variables", get(variables))
        .route("/api/v1/agent/objects/{kind}/{digest}", get(fetch).put(store))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(side);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn join(State(side): State<Side>, body: Bytes) -> Response {
    let request: JoinRequest = serde_json::from_slice(&body).unwrap();
    let proven = request.proven().is_signed_by(&request.key, &request.proof);
    if !proven || !request.token.ends_with(SECRET) {
        let problem =
            json!({ "type": "about:blank", "title": "no", "status": 403, "code": "unknown_join_token" });
        return (StatusCode::FORBIDDEN, problem.to_string()).into_response();
    }
    side.memory.lock().unwrap().agent_key = Some(request.key);
    let keys = KeySet::of(Role::Coordinator, side.key.public());
    let membership = Membership {
        v: 1,
        host: request.host,
        installation: "test".to_owned(),
        keys: keys.clone(),
        broker_url: side.broker_url,
        pools: vec!["default".parse().unwrap()],
        kinds: JobKind::ALL.to_vec(),
        administrator_lines: vec!["rabbitmqctl add_user host-web-1".to_owned()],
    };
    let answer = JoinAnswer {
        keys,
        sealed: side.key.sign_membership(&membership),
    };
    serde_json::to_string(&answer).unwrap().into_response()
}

/// Checks the signature against the agent's key and the body's digest.
fn check(
    side: &Side,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Option<&Bytes>,
) -> Result<(), StatusCode> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let digest: Digest = text(request::BODY_DIGEST).parse().unwrap();
    if let Some(body) = body {
        assert_eq!(Digest::of(body), digest, "the body is not what was signed");
    }
    let parts = SignedParts {
        method: method.as_str(),
        path: uri.path(),
        body: digest,
        host: text(request::HOST),
        instance: text(request::INSTANCE).parse().unwrap(),
        job: text(request::JOB).parse().unwrap(),
        epoch: pointsman_shared::ids::Epoch(text(request::EPOCH).parse().unwrap()),
        at: text(request::TIME).parse().unwrap(),
    };
    let mut memory = side.memory.lock().unwrap();
    let key = memory.agent_key.clone().unwrap();
    let fresh = (parts.at - now()).abs() < request::TOLERANCE_MS;
    if !fresh || !parts.is_signed_by(&key, text(request::SIGNATURE)) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    memory.signed_requests.push(format!("{method} {}", uri.path()));
    Ok(())
}

async fn variables(State(side): State<Side>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if let Err(refused) = check(&side, &method, &uri, &headers, None) {
        return refused.into_response();
    }
    let memory = side.memory.lock().unwrap();
    json!({ "plain": memory.variables, "secret": memory.secrets })
        .to_string()
        .into_response()
}

async fn fetch(
    State(side): State<Side>,
    Path((kind, digest)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = check(&side, &method, &uri, &headers, None) {
        return refused.into_response();
    }
    let found = side
        .memory
        .lock()
        .unwrap()
        .objects
        .get(&format!("{kind}/{digest}"))
        .cloned();
    match found {
        Some(bytes) => bytes.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn store(
    State(side): State<Side>,
    Path((kind, digest)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refused) = check(&side, &method, &uri, &headers, Some(&body)) {
        return refused.into_response();
    }
    assert_eq!(Digest::of(&body).to_string(), digest);
    let mut memory = side.memory.lock().unwrap();
    let existed = memory
        .objects
        .insert(format!("{kind}/{digest}"), body.to_vec())
        .is_some();
    json!({ "existed": existed }).to_string().into_response()
}
