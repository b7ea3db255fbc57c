//! Errors as the caller sees them: a stable code and kind words outside, the full cause once in the log.
//!
//! A handler's failure travels as an extension of the response; [`written`] turns it into `application/problem+json`
//! where the request's id is known.

use std::error::Error as _;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use pointsman_domain::{Refusal, RefusalKind};
use pointsman_shared::api::problem::{MEDIA_TYPE, Problem};
use pointsman_store::{STATEMENT_TIMEOUT, StoreError};

use crate::error::OperationError;

/// What a handler fails with.
#[derive(Debug)]
pub(super) struct Failed {
    problem: Box<Problem>,
    retry_after_s: Option<u32>,
    cause: Option<String>,
    unread: bool,
}

/// A problem that is not written into the body yet.
#[derive(Debug, Clone)]
pub(super) struct Unwritten(Problem);

/// Marks a request that was refused before any operation saw it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unread;

/// What a handler answers.
pub(super) type Answer<T> = Result<T, Failed>;

impl Failed {
    /// A problem of the edge itself.
    pub(super) fn new(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            retry_after_s: None,
            cause: None,
            unread: false,
        }
    }

    /// The request could not be read.
    pub(super) fn unread(status: StatusCode, code: &str, what: impl Into<String>) -> Self {
        Self {
            unread: true,
            ..Self::new(Problem::new(status.as_u16(), code, what))
        }
    }

    /// Whoever asks is not known.
    pub(super) fn unauthenticated(what: &str) -> Self {
        Self::new(
            Problem::new(401, "unauthenticated", what)
                .hint("pointsman login --with-token < token-file; or set POINTSMAN_TOKEN"),
        )
    }

    /// Trying again later may help.
    pub(super) const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    fn internal(cause: String) -> Self {
        let problem = Problem::new(500, "internal", "something went wrong inside the coordinator")
            .hint("its log tells more under the id of this request");
        Self {
            cause: Some(cause),
            ..Self::new(problem)
        }
    }

    fn unavailable(cause: String) -> Self {
        let problem = Problem::new(
            503,
            "unavailable",
            "the coordinator's database is not available right now",
        )
        .hint("nothing was changed; try again in a moment");
        Self {
            cause: Some(cause),
            ..Self::new(problem).retry_after(2)
        }
    }
}

impl<E: Into<OperationError>> From<E> for Failed {
    fn from(error: E) -> Self {
        let error = error.into();
        let cause = || chain(&error);
        match &error {
            OperationError::Refused(refusal) => refused(refusal),
            OperationError::Store(StoreError::Unavailable(_) | StoreError::Serialization(_)) => {
                Self::unavailable(cause())
            }
            OperationError::Store(StoreError::TooLong(_)) => {
                let problem = Problem::new(
                    503,
                    "took_too_long",
                    format!(
                        "the database needed more than {} s for this, and was told to stop",
                        STATEMENT_TIMEOUT.as_secs()
                    ),
                )
                .hint("nothing was changed; ask for less at once, or try again when there is less to do");
                Self {
                    cause: Some(cause()),
                    ..Self::new(problem).retry_after(30)
                }
            }
            OperationError::Store(StoreError::Unstorable(_)) => Self::new(
                Problem::new(
                    422,
                    "invalid_text",
                    "a text holds a NUL character, which cannot be kept or looked for",
                )
                .hint("leave it out"),
            ),
            OperationError::Store(StoreError::TakenOver) => Self::new(Problem::new(
                409,
                "repeated_elsewhere",
                "the same request was repeated; its repeat is answered instead",
            )),
            OperationError::Store(
                StoreError::Conflict { .. }
                | StoreError::Inconsistent { .. }
                | StoreError::Migrate(_)
                | StoreError::Query(_),
            )
            | OperationError::Internal { .. } => Self::internal(cause()),
        }
    }
}

fn refused(refusal: &Refusal) -> Failed {
    let status = match refusal.kind {
        RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::Locked => StatusCode::LOCKED,
        RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut problem = Problem::new(status.as_u16(), refusal.code, &refusal.what);
    problem.hint.clone_from(&refusal.hint);
    let failed = Failed::new(problem);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        failed.retry_after(5)
    } else {
        failed
    }
}

/// An error with its causes, each once.
fn chain(error: &OperationError) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let words = error.to_string();
        if !said.contains(&words) {
            said.push_str(": ");
            said.push_str(&words);
        }
        next = error.source();
    }
    said
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.cause {
            tracing::error!(problem.code = %self.problem.code, "request failed: {cause}");
        }
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.unread {
            response.extensions_mut().insert(Unread);
        }
        response.extensions_mut().insert(Unwritten(*self.problem));
        response
    }
}

/// Writes the problem of a response into its body, under the request's id.
pub(super) fn written(mut response: Response, request: &str) -> Response {
    let Some(Unwritten(mut problem)) = response.extensions_mut().remove::<Unwritten>() else {
        return response;
    };
    problem.request = Some(request.to_owned());
    // A problem is made of strings and a number; writing one cannot fail.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    *response.body_mut() = Body::from(body);
    response
}

/// Takes a problem out of a response, for those who draw it.
pub(super) fn take(response: &mut Response, request: &str) -> Option<Problem> {
    let Unwritten(mut problem) = response.extensions_mut().remove::<Unwritten>()?;
    problem.request = Some(request.to_owned());
    Some(problem)
}
