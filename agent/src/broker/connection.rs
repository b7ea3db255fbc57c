//! How a connection is made: small frames, short heartbeats, a name the operator recognises.

use std::path::Path;
use std::time::Duration;

use async_rs::Runtime;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use pointsman_shared::wire::topology;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(15);

/// A broker that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address is none.
    #[error("the broker's address is not an AMQP URL: {0}")]
    Address(String),
    /// Its certificates cannot be read.
    #[error("broker.ca_file cannot be read")]
    Certificates(#[source] std::io::Error),
    /// It did not answer in time.
    #[error("the broker {broker} did not answer within {} s", CONNECT.as_secs())]
    Silent {
        /// Host and port.
        broker: String,
    },
    /// It refused or broke off.
    #[error("the broker {broker} cannot be used")]
    Refused {
        /// Host and port.
        broker: String,
        /// Why.
        #[source]
        source: lapin::Error,
    },
    /// A queue that must be consumed is not.
    #[error("the queue {queue} is not consumed any more")]
    NotConsumed {
        /// Its name.
        queue: String,
    },
}

impl BrokerError {
    /// Whether the broker was there and refused, rather than being away or cut off.
    pub(super) fn is_an_answer(&self) -> bool {
        match self {
            Self::Address(_) | Self::Certificates(_) | Self::NotConsumed { .. } => true,
            Self::Silent { .. } => false,
            Self::Refused { source, .. } => {
                matches!(
                    source.kind(),
                    lapin::ErrorKind::ProtocolError(_) | lapin::ErrorKind::AuthProviderError(_)
                )
            }
        }
    }
}

/// Where the broker is and who asks. Its password is never shown.
#[derive(Clone)]
pub struct BrokerAddress {
    uri: AMQPUri,
    certificates: Option<String>,
    name: String,
}

impl std::fmt::Debug for BrokerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BrokerAddress({})", self.broker())
    }
}

/// Whoever asks for a connection.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a>(
    /// As the management pages show it.
    pub &'a str,
);

impl BrokerAddress {
    /// Reads an address; `ca_file` holds the certificates to trust instead of the system's.
    pub fn new(url: &str, ca_file: Option<&Path>, caller: Caller<'_>) -> Result<Self, BrokerError> {
        let mut uri: AMQPUri = url.parse().map_err(BrokerError::Address)?;
        if !topology::names_vhost(url) {
            topology::DEFAULT_VHOST.clone_into(&mut uri.vhost);
        }
        uri.query.frame_max = Some(topology::FRAME_MAX);
        uri.query.heartbeat = Some(topology::HEARTBEAT_S);
        let certificates = ca_file
            .map(|file| fs_err::read_to_string(file).map_err(BrokerError::Certificates))
            .transpose()?;
        Ok(Self {
            uri,
            certificates,
            name: caller.0.to_owned(),
        })
    }

    /// Host, port and vhost, for people.
    pub fn broker(&self) -> String {
        let authority = &self.uri.authority;
        format!("{}:{}/{}", authority.host, authority.port, self.uri.vhost)
    }

    /// Connects.
    pub async fn connect(&self) -> Result<Connection, BrokerError> {
        let options = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        let tls = OwnedTLSConfig {
            identity: None,
            cert_chain: self.certificates.clone(),
        };
        let connecting =
            Connection::connect_uri_with_config(self.uri.clone(), options, tls, Runtime::tokio_current());
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(connected) => connected.map_err(|source| self.refused(source)),
            Err(_) => Err(BrokerError::Silent {
                broker: self.broker(),
            }),
        }
    }

    /// Whether the broker knows this user and lets it in; used while an administrator still has to make it.
    pub async fn knock(&self) -> Result<(), BrokerError> {
        let connection = self.connect().await?;
        connection
            .close(200, "seen".into())
            .await
            .map_err(|source| self.refused(source))
    }

    pub(super) fn refused(&self, source: lapin::Error) -> BrokerError {
        BrokerError::Refused {
            broker: self.broker(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_virtual_host_means_ours() {
        let broker = |url| BrokerAddress::new(url, None, Caller("test")).map(|address| address.broker());
        assert_eq!(
            broker("amqp://a:secret@127.0.0.1:5672").unwrap(),
            "127.0.0.1:5672/pointsman"
        );
        assert_eq!(
            broker("amqp://a:secret@127.0.0.1:5672/other").unwrap(),
            "127.0.0.1:5672/other"
        );
    }
}
