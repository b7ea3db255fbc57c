//! The one HTTP client of the crate, for loopback addresses: no proxy, no redirects, short limits, and no trust but in
//! the sandbox's own CA.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Certificate, Client, RequestBuilder, Response};

use crate::authority::Tls;
use crate::error::{Error, Result};

/// A client for one caller. It is not shared: its connections belong to the runtime that made them.
pub fn client(tls: Option<&Tls>) -> Client {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    // The client is built for TLS even where only loopback is asked; a second installation is harmless.
    PROVIDER.get_or_init(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let ca = tls.and_then(|tls| Certificate::from_pem(tls.ca.as_bytes()).ok());
    Client::builder()
        .no_proxy()
        // The system's say nothing about loopback, and reading them takes long.
        .tls_certs_only(ca)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap_or_default()
}

/// Sends a request; anything but success is an error that quotes the answer. `url` names it without credentials.
pub async fn answer(url: &str, request: RequestBuilder) -> Result<Response> {
    let no_answer = |source: reqwest::Error| Error::Http {
        url: url.to_owned(),
        source: source.without_url(),
    };
    let response = request.send().await.map_err(no_answer)?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body: String = response
        .text()
        .await
        .unwrap_or_default()
        .chars()
        .take(600)
        .collect();
    Err(Error::Refused {
        url: url.to_owned(),
        status: status.as_u16(),
        body,
    })
}
