//! TLS to the broker on the word of the operator's own CA.
//!
//! Its certificates stand in the place of the system's: a bus that only our machines use needs no public CA. (lapin
//! would add them to the system's.) This module refuses a file that holds none, which would only fail later and darker.

use std::path::Path;
use std::sync::Arc;

use async_rs::{Runtime, TokioRuntime};
use lapin::tcp::{AsyncTcpStream, RustlsConnector};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::connection::BrokerError;

/// The CA certificates that a broker's must come from.
#[derive(Debug, Clone)]
pub(super) struct Trust(RustlsConnector);

impl Trust {
    /// Reads `broker.ca_file`.
    pub(super) fn read(file: &Path) -> Result<Self, BrokerError> {
        let bytes = fs_err::read(file).map_err(BrokerError::Certificates)?;
        let unusable = |why: String| BrokerError::NoCertificates {
            file: file.to_owned(),
            why,
        };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| unusable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unusable("there is no certificate in it (PEM)".to_owned()));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(config.into()))
    }

    /// Connects, over TLS where the address says so.
    pub(super) async fn connect(
        &self,
        uri: AMQPUri,
        options: ConnectionProperties,
    ) -> lapin::Result<Connection> {
        let connector = self.0.clone();
        let open = async move |uri: AMQPUri, runtime: TokioRuntime| {
            let authority = uri.authority;
            let addresses = runtime.to_socket_addrs((authority.host.clone(), authority.port));
            let stream = AsyncTcpStream::connect(&runtime, addresses).await?;
            Ok(match uri.scheme {
                AMQPScheme::AMQP => stream,
                AMQPScheme::AMQPS => stream.into_rustls(&connector, &authority.host).await?,
            })
        };
        Connection::connector(uri, Runtime::tokio_current(), open, options).await
    }
}
