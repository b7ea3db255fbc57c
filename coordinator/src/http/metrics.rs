//! Metrics, for whoever may read; `metrics.listen` has them without a token.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use super::problem::Answer;
use crate::error::OperationError;
use crate::metrics::MEDIA_TYPE;

/// `GET /metrics`
pub(super) async fn show(caller: Caller) -> Answer<Response> {
    let text = caller.app.metrics.text(&caller.app).await;
    let text = text.map_err(|error| OperationError::internal("writing metrics", error))?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}
