//! Listens, speaks TLS when it is configured, and ends without cutting answers off.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Http;
use crate::live;

use super::router;

/// How long answers that are under way may take after the end was announced.
const GRACE: Duration = Duration::from_secs(20);
/// How long a client may take to send its request's head.
const HEAD_PATIENCE: Duration = Duration::from_secs(20);

/// The API could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Listening or accepting failed.
    #[error("the HTTP API cannot be served on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Certificate or key cannot be used.
    #[error("{file} cannot be used for TLS: {why}")]
    Tls {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
}

/// Serves the API on `listener` until `shutdown`, then lets running answers end. Numbers and shows events meanwhile.
pub async fn serve(app: App, listener: TcpListener, shutdown: CancellationToken) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(|source| ServeError::Listen {
        address: app.config.http.listen,
        source,
    })?;
    let tls = tls(&app.config.http)?;
    if tls.is_none() && !address.ip().is_loopback() {
        tracing::warn!(%address, "tokens travel in plain text: http.insecure is set and http.tls_cert is not");
    }
    let events = live::Hub::new();
    let feeding = tokio::spawn(live::feed(app.clone(), events.clone(), shutdown.clone()));
    let router = router::router(app, events, shutdown.clone());
    let served = listen(router, listener, tls, shutdown)
        .await
        .map_err(|source| ServeError::Listen { address, source });
    feeding.abort();
    served
}

async fn listen(
    router: Router,
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle = Handle::new();
    let ending = tokio::spawn({
        let handle = handle.clone();
        async move {
            shutdown.cancelled().await;
            handle.graceful_shutdown(Some(GRACE));
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = if let Some(tls) = tls {
        let mut server = axum_server::from_tcp_rustls(listener, tls)?.handle(handle);
        guard(server.http_builder());
        server.serve(service).await
    } else {
        let mut server = axum_server::from_tcp(listener)?.handle(handle);
        guard(server.http_builder());
        server.serve(service).await
    };
    ending.abort();
    served
}

/// A client that sends its head byte by byte does not hold a connection for ever.
fn guard<E>(builder: &mut hyper_util::server::conn::auto::Builder<E>) {
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE);
}

/// Reads certificate and key, if they are set, without using them.
pub fn check_tls(http: &Http) -> Result<(), ServeError> {
    tls(http).map(drop)
}

fn tls(http: &Http) -> Result<Option<RustlsConfig>, ServeError> {
    let (Some(cert), Some(key)) = (&http.tls_cert, &http.tls_key) else {
        return Ok(None);
    };
    let unusable = |file: &Path, why: String| ServeError::Tls {
        file: file.to_owned(),
        why,
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(cert, "there is no certificate in it (PEM)".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(cert, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| {
            let key = key.display();
            unusable(
                cert,
                format!("{error}; its first certificate must be the server's own, made for the key {key}"),
            )
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(RustlsConfig::from_config(Arc::new(config))))
}
