//! TLS to the broker on the word of the operator's own CA, for AMQP and for the management API.
//!
//! Its certificates stand in the place of the system's: a bus that only our machines use needs no public CA. (lapin
//! would add them to the system's.) The file is read for every connection, so that a new CA needs no restart. This
//! module refuses a file that holds no certificate, which would only fail later and darker.

use std::path::Path;
use std::sync::Arc;

use async_rs::{Runtime, TokioRuntime};
use lapin::tcp::{AsyncTcpStream, RustlsConnector};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};
use reqwest::ClientBuilder;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::error::{BrokerError, BrokerResult};

/// The CA certificates that the broker's must come from.
#[derive(Debug)]
pub(super) struct Trust {
    certificates: Vec<CertificateDer<'static>>,
    connector: RustlsConnector,
}

impl Trust {
    /// Reads `broker.ca_file`.
    pub(super) fn read(file: &Path) -> BrokerResult<Self> {
        let unusable = |why: String| BrokerError::Certificates {
            file: file.to_owned(),
            why,
        };
        let bytes = fs_err::read(file).map_err(|error| unusable(error.to_string()))?;
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(error.to_string()))?;
        if certificates.is_empty() {
            return Err(unusable("there is no certificate in it (PEM)".to_owned()));
        }
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            let added = roots.add(certificate.clone());
            added.map_err(|error| unusable(error.to_string()))?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            certificates,
            connector: config.into(),
        })
    }

    /// Connects, over TLS where the address says so.
    pub(super) async fn connect(
        self,
        uri: AMQPUri,
        properties: ConnectionProperties,
    ) -> lapin::Result<Connection> {
        let connector = self.connector;
        let open = async move |uri: AMQPUri, runtime: TokioRuntime| {
            let authority = uri.authority;
            let addresses = runtime.to_socket_addrs((authority.host.clone(), authority.port));
            let stream = AsyncTcpStream::connect(&runtime, addresses).await?;
            Ok(match uri.scheme {
                AMQPScheme::AMQP => stream,
                AMQPScheme::AMQPS => stream.into_rustls(&connector, &authority.host).await?,
            })
        };
        Connection::connector(uri, Runtime::tokio_current(), open, properties).await
    }

    /// A client that trusts nothing else.
    pub(super) fn client(self, builder: ClientBuilder) -> reqwest::Result<ClientBuilder> {
        let certificates = self.certificates.iter();
        let certificates = certificates
            .map(|certificate| reqwest::Certificate::from_der(certificate))
            .collect::<reqwest::Result<Vec<_>>>()?;
        Ok(builder.tls_certs_only(certificates))
    }
}
