//! Whoever asks over HTTP.

use pointsman_shared::api::IDEMPOTENCY_KEY;
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde_json::Value;

use crate::contract;

pub struct Person {
    client: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answered {
    /// The body, when the status is as expected.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The stable code of a problem with this status.
    #[track_caller]
    pub fn refused(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(
            self.body["request"].as_str(),
            self.headers["x-request-id"].to_str().ok()
        );
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Person {
    pub fn new(base: &str, token: Option<&str>) -> Self {
        Self {
            client: reqwest::Client::builder()
                .no_proxy()
                .tls_danger_accept_invalid_certs(true)
                .build()
                .unwrap(),
            base: base.to_owned(),
            token: token.map(str::to_owned),
        }
    }

    /// A request to a path below the address itself.
    pub fn at(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// A request to the API.
    pub fn api(&self, method: Method, path: &str) -> RequestBuilder {
        self.at(method, &format!("api/v1/{path}"))
    }

    pub async fn get(&self, path: &str) -> Answered {
        read(self.api(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answered {
        read(self.api(Method::POST, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &impl Serialize) -> Answered {
        read(self.api(Method::PUT, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answered {
        read(self.api(Method::DELETE, path)).await
    }

    pub async fn delete_with(&self, path: &str, body: &impl Serialize) -> Answered {
        read(self.api(Method::DELETE, path).json(body)).await
    }

    /// A change with an idempotency key.
    pub async fn post_once(&self, key: &str, path: &str, body: &impl Serialize) -> Answered {
        read(
            self.api(Method::POST, path)
                .header(IDEMPOTENCY_KEY, key)
                .json(body),
        )
        .await
    }
}

/// The answer, which must be one that the API's document promises.
pub async fn read(request: RequestBuilder) -> Answered {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().to_string(), request.url().path().to_owned());
    let answer = answer(client.execute(request).await.unwrap()).await;
    contract::check(&method, &path, &answer);
    answer
}

async fn answer(response: Response) -> Answered {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answered {
        status,
        headers,
        body,
    }
}
