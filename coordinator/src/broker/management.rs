//! The broker's management API, as far as topology and enrolment need it.

use std::path::Path;

use reqwest::{Client, ClientBuilder, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::{BrokerError, BrokerResult};
use super::trust::Trust;

/// Longest answer that an error repeats, in characters.
const ANSWER: usize = 300;

/// A client with an administrator's user, for one virtual host.
#[derive(Debug, Clone)]
pub struct Management {
    client: Client,
    base: Url,
    vhost: String,
}

impl Management {
    /// A client for the API at `base`, which carries user and password; `ca_file` holds the certificates to trust
    /// instead of the system's.
    pub fn new(base: Url, vhost: String, ca_file: Option<&Path>) -> BrokerResult<Self> {
        let builder = Client::builder().timeout(std::time::Duration::from_secs(20));
        let client = match ca_file {
            Some(file) => Trust::read(file)?.client(builder),
            // An address without TLS needs none, and reading the system's takes long.
            None if base.scheme() == "http" => Ok(builder.tls_certs_only([])),
            None => Ok(builder),
        };
        let client = client
            .and_then(ClientBuilder::build)
            .map_err(|source| BrokerError::Management {
                what: "making a client".to_owned(),
                source,
            })?;
        Ok(Self { client, base, vhost })
    }

    /// The virtual host.
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// Reads a resource; none when it does not exist.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &str) -> BrokerResult<Option<T>> {
        let what = format!("reading {}", path.join("/"));
        let mut url = self.url(path);
        if !query.is_empty() {
            url.set_query(Some(query));
        }
        let response = self.send(Method::GET, url, None::<&Value>, &what).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = accepted(response, &what).await?;
        response
            .json()
            .await
            .map(Some)
            .map_err(|source| BrokerError::Management { what, source })
    }

    /// Makes or changes a resource.
    pub async fn put(&self, path: &[&str], body: &Value) -> BrokerResult<()> {
        let what = format!("writing {}", path.join("/"));
        let response = self.send(Method::PUT, self.url(path), Some(body), &what).await?;
        accepted(response, &what).await.map(drop)
    }

    /// Adds to a collection.
    pub async fn post(&self, path: &[&str], body: &Value) -> BrokerResult<()> {
        let what = format!("adding to {}", path.join("/"));
        let response = self.send(Method::POST, self.url(path), Some(body), &what).await?;
        accepted(response, &what).await.map(drop)
    }

    /// Deletes a resource; one that does not exist is deleted already.
    pub async fn delete(&self, path: &[&str]) -> BrokerResult<()> {
        let what = format!("deleting {}", path.join("/"));
        let response = self
            .send(Method::DELETE, self.url(path), None::<&Value>, &what)
            .await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(());
        }
        accepted(response, &what).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&(impl Serialize + Sync)>,
        what: &str,
    ) -> BrokerResult<reqwest::Response> {
        let mut request = self.client.request(method, url);
        if !self.base.username().is_empty() {
            request = request.basic_auth(self.base.username(), self.base.password());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.map_err(|source| BrokerError::Management {
            what: what.to_owned(),
            source: source.without_url(),
        })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("api").extend(path);
        }
        // The user travels in a header, not in the address; an address without a host cannot carry one anyway.
        url.set_password(None).and_then(|()| url.set_username("")).ok();
        url
    }
}

async fn accepted(response: reqwest::Response, what: &str) -> BrokerResult<reqwest::Response> {
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    let answer: String = response
        .text()
        .await
        .unwrap_or_default()
        .chars()
        .take(ANSWER)
        .collect();
    Err(BrokerError::ManagementRefused {
        what: what.to_owned(),
        status,
        answer,
    })
}
