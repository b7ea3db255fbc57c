//! Bodies, paths and queries, read with errors that name the field and say what is expected.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FormRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::problem::Failed;

/// A JSON body, in or out.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let given = request
            .headers()
            .get(CONTENT_TYPE)
            .map(|value| value.as_bytes().to_owned());
        if !given.is_some_and(|given| given.starts_with(b"application/json")) {
            let what = "the body must be JSON, with the header content-type: application/json";
            return Err(Failed::unread(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                what,
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let what = format!("the body cannot be read: {error}");
            Failed::unread(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", what)
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err asks for")]
fn unreadable(rejection: BytesRejection) -> Failed {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Failed::unread(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "the body is larger than 1 MiB",
        );
    }
    Failed::unread(
        StatusCode::BAD_REQUEST,
        "body_broken",
        "the body did not arrive whole",
    )
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => {
                let mut response = bytes.into_response();
                response
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(error) => Failed::from(crate::error::OperationError::internal("writing an answer", error))
                .into_response(),
        }
    }
}

/// Parts of the path.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let read: Result<axum::extract::Path<T>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value))
            .map_err(|rejection| {
                let why = rejection.body_text();
                let why = why.strip_prefix("Invalid URL: ").unwrap_or(&why);
                let what = format!("{} names nothing: {why}", parts.uri.path());
                Failed::unread(StatusCode::NOT_FOUND, "invalid_path", what)
            })
    }
}

/// The query.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let read: Result<axum::extract::Query<T>, QueryRejection> =
            axum::extract::Query::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| {
                let why = rejection.body_text();
                let why = why
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&why);
                Failed::unread(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid_query",
                    format!("the query cannot be read: {why}"),
                )
            })
    }
}

/// A form that was sent.
#[derive(Debug)]
pub(super) struct Form<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let read: Result<axum::extract::Form<T>, FormRejection> =
            axum::extract::Form::from_request(request, state).await;
        read.map(|axum::extract::Form(value)| Self(value))
            .map_err(|rejection| {
                let why = rejection.body_text();
                let why = why
                    .strip_prefix("Failed to deserialize form body: ")
                    .unwrap_or(&why);
                let what = format!("the form cannot be read, and nothing was changed: {why}");
                Failed::unread(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", what)
            })
    }
}

/// A field that may be left blank.
pub(super) fn filled<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(from)?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    T::deserialize(text.to_owned().into_deserializer()).map(Some)
}
