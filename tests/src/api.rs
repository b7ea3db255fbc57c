//! The HTTP API as a test uses it: answers are typed, refusals are values with their stable code.

use anyhow::{Context as _, Result};
use pointsman_sandbox::authority::Tls;
use pointsman_shared::api::Problem;
use reqwest::{Certificate, Client, Method};
use serde_json::Value;
use std::time::Duration;

/// A caller with a token.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    url: String,
    token: String,
}

/// A refusal, as a user would read it.
#[derive(Debug)]
pub struct Refused(pub Problem);

impl Api {
    /// A caller of the coordinator at `url`, which shows a certificate of this CA when it speaks TLS.
    pub fn new(url: String, token: String, tls: Option<&Tls>) -> Self {
        let ca = tls.and_then(|tls| Certificate::from_pem(tls.ca.as_bytes()).ok());
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only(ca)
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap_or_default();
        Self { client, url, token }
    }

    /// GETs a path below `/api/v1/`.
    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::GET, path, None)
            .await?
            .map_err(|refused| anyhow::anyhow!("GET {path}: {:?}", refused.0))
    }

    /// POSTs a body and expects success.
    pub async fn post<T: serde::de::DeserializeOwned>(&self, path: &str, body: Value) -> Result<T> {
        self.try_post(path, body)
            .await?
            .map_err(|refused| anyhow::anyhow!("POST {path}: {:?}", refused.0))
    }

    /// POSTs a body; a refusal is a value.
    pub async fn try_post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: Value,
    ) -> Result<std::result::Result<T, Refused>> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// PUTs a body; a refusal is a value.
    pub async fn try_put<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: Value,
    ) -> Result<std::result::Result<T, Refused>> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    /// DELETEs; a refusal is a value.
    pub async fn try_delete<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<std::result::Result<T, Refused>> {
        self.ask(Method::DELETE, path, None).await
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<std::result::Result<T, Refused>> {
        let mut request = self
            .client
            .request(method, format!("{}/api/v1/{path}", self.url))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.with_context(|| format!("asking {path}"))?;
        let (status, text) = (answer.status(), answer.text().await?);
        if status.is_success() {
            // An answer without a body (204) says what `null` says.
            let json = if text.is_empty() { "null" } else { &text };
            return Ok(Ok(
                serde_json::from_str(json).with_context(|| format!("{path} answered {text}"))?
            ));
        }
        let problem =
            serde_json::from_str(&text).with_context(|| format!("{path} answered {status}: {text}"))?;
        Ok(Err(Refused(problem)))
    }
}
