//! The coordinator's HTTP API as the sandbox uses it: a base address, a token, JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::authority::Tls;
use crate::error::{Error, Result};
use crate::http;

/// A caller of the API.
#[derive(Debug, Clone)]
pub struct Api {
    url: String,
    token: String,
    client: reqwest::Client,
}

impl Api {
    /// A caller with a token.
    pub fn new(url: String, token: String, tls: Option<&Tls>) -> Self {
        Self {
            url,
            token,
            client: http::client(tls),
        }
    }

    /// GETs a path.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(reqwest::Method::GET, path, None::<&()>)
            .await?
            .json()
            .await
            .map_err(|source| self.unreadable(path, source))
    }

    /// POSTs a body and reads the answer.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let answer = self.ask(reqwest::Method::POST, path, Some(body)).await?;
        answer
            .json()
            .await
            .map_err(|source| self.unreadable(path, source))
    }

    /// PUTs a body; the answer does not matter.
    pub async fn put(&self, path: &str, body: &impl Serialize) -> Result<()> {
        self.ask(reqwest::Method::PUT, path, Some(body)).await.map(drop)
    }

    async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<reqwest::Response> {
        let url = format!("{}{path}", self.url);
        let mut request = self.client.request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        http::answer(&url, request).await
    }

    fn unreadable(&self, path: &str, source: reqwest::Error) -> Error {
        Error::Http {
            url: format!("{}{path}", self.url),
            source: source.without_url(),
        }
    }
}
