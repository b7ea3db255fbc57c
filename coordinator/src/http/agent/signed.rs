//! A signed request: its headers read, its signature and epoch checked, before any byte of its body is.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use pointsman_shared::digest::Digest;
use pointsman_shared::wire::request::{self, SignedParts};
use std::str::FromStr;

use super::super::problem::{Answer, Failed};
use super::super::router::Api;
use crate::operations::trust_agent::{self, Trusted};

/// A request whose sender is known and works on a running epoch.
#[derive(Debug)]
pub(in crate::http) struct Signed {
    /// Who, on which job.
    pub(super) agent: Trusted,
    /// Digest of the body, as signed.
    pub(super) body: Digest,
    /// All headers.
    pub(super) headers: HeaderMap,
}

impl FromRequestParts<Api> for Signed {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failed> {
        let headers = &parts.headers;
        let body = read(headers, request::BODY_DIGEST)?;
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
        let signed = SignedParts {
            method: parts.method.as_str(),
            path,
            body,
            host: text(headers, request::HOST)?,
            instance: read(headers, request::INSTANCE)?,
            job: read(headers, request::JOB)?,
            epoch: pointsman_shared::ids::Epoch(read(headers, request::EPOCH)?),
            at: read(headers, request::TIME)?,
        };
        let signature = text(headers, request::SIGNATURE)?;
        let agent = trust_agent::execute(&api.app, &signed, signature).await?;
        Ok(Self {
            agent,
            body,
            headers: headers.clone(),
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Answer<&'a str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| unsigned(name))
}

fn read<T: FromStr>(headers: &HeaderMap, name: &str) -> Answer<T> {
    text(headers, name)?.parse().map_err(|_| unsigned(name))
}

fn unsigned(name: &str) -> Failed {
    let what = format!("agents sign their requests; the header {name} is missing or cannot be read");
    Failed::unread(StatusCode::UNAUTHORIZED, "not_signed", what)
}
