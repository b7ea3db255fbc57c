//! What agents ask over HTTP: joining, bytes and values, never commands.

mod signed;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pointsman_shared::api::agent::{
    JoinAnswer, JoinRequest, ObjectKind, RepositoryAccess, Stored, Variables,
};
use pointsman_shared::digest::Digest;
use std::net::SocketAddr;

use super::extract::{Json, Path};
use super::problem::{Answer, Failed};
use super::router::Api;
use crate::artifacts::Outgoing;
use crate::operations::{agent_deploy_key, agent_variables, fetch_object, join_host, store_object};
use signed::Signed;

/// `POST /api/v1/agent/join`
pub(super) async fn join(
    State(api): State<Api>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Json(request): Json<JoinRequest>,
) -> Answer<Json<JoinAnswer>> {
    // In a task of its own: an agent that goes away does not leave a host half joined.
    let join =
        tokio::spawn(
            async move { join_host::execute(&api.app, &request, Some(address.ip().to_string())).await },
        );
    let joined = join
        .await
        .map_err(|error| crate::error::OperationError::internal("joining a host", error))?;
    Ok(Json(joined?))
}

/// `GET /api/v1/agent/objects/{kind}/{digest}`
pub(super) async fn fetch_object(
    State(api): State<Api>,
    Path((kind, digest)): Path<(String, Digest)>,
    signed: Signed,
) -> Answer<Response> {
    let offset = offset(&signed.headers);
    let object = fetch_object::execute(&api.app, &signed.agent, kind_of(&kind)?, digest, offset).await?;
    Ok(bytes(object))
}

/// `PUT /api/v1/agent/objects/{kind}/{digest}`
pub(super) async fn store_object(
    State(api): State<Api>,
    Path((kind, digest)): Path<(String, Digest)>,
    signed: Signed,
    request: Request,
) -> Answer<(StatusCode, Json<Stored>)> {
    let kind = kind_of(&kind)?;
    if signed.body != digest {
        let what = "the signature covers other bytes than the path names";
        return Err(Failed::unread(
            StatusCode::UNPROCESSABLE_ENTITY,
            "other_content",
            what,
        ));
    }
    let announced = signed
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok());
    let content = request.into_body().into_data_stream();
    let stored = store_object::execute(&api.app, &signed.agent, kind, digest, announced, content).await?;
    let status = if stored.existed {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(stored)))
}

/// `GET /api/v1/agent/variables`
pub(super) async fn variables(State(api): State<Api>, signed: Signed) -> Answer<Json<Variables>> {
    Ok(Json(agent_variables::execute(&api.app, &signed.agent).await?))
}

/// `GET /api/v1/agent/deploy-key`
pub(super) async fn deploy_key(State(api): State<Api>, signed: Signed) -> Answer<Json<RepositoryAccess>> {
    Ok(Json(agent_deploy_key::execute(&api.app, &signed.agent).await?))
}

fn kind_of(name: &str) -> Answer<ObjectKind> {
    [ObjectKind::Manifest, ObjectKind::Archive, ObjectKind::Packing]
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .ok_or_else(|| {
            let what = format!("there are no objects of kind {name}");
            Failed::unread(StatusCode::NOT_FOUND, "unknown_kind", what)
        })
}

/// Where a transfer that broke off goes on: `Range: bytes=<offset>-`. Other ranges get the whole object.
fn offset(headers: &HeaderMap) -> u64 {
    headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok())
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'))
        .and_then(|offset| offset.parse().ok())
        .unwrap_or(0)
}

fn bytes(object: Outgoing) -> Response {
    let Outgoing { size, range, body } = object;
    let status = if range.start > 0 {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let mut response: Response<Body> = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if range.start > 0 {
        let range = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
        if let Ok(range) = HeaderValue::from_str(&range) {
            headers.insert(header::CONTENT_RANGE, range);
        }
    }
    response
}
