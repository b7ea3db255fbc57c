//! How a connection is made: small frames, short heartbeats, a name the operator recognises.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use pointsman_shared::certificate;
use pointsman_shared::wire::topology;

use super::trust::Trust;
use crate::describe::describe;

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
    /// Its certificates are none.
    #[error("broker.ca_file: {} cannot be used: {why}", file.display())]
    NoCertificates {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It did not answer in time.
    #[error("the broker {broker} did not answer within {} s", CONNECT.as_secs())]
    Silent {
        /// Host and port.
        broker: String,
    },
    /// It refused or broke off.
    #[error("the broker {broker} cannot be used{}", advice(source))]
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
            Self::Address(_)
            | Self::Certificates(_)
            | Self::NoCertificates { .. }
            | Self::NotConsumed { .. } => true,
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

/// What to do about a refusal, where more is known than its cause says.
fn advice(source: &lapin::Error) -> String {
    let advice = if is_stranger(source) {
        Some(
            "this host's user is not let in: the host may have been revoked (`pointsman hosts`); if it should not be, \
             let it join again"
                .to_owned(),
        )
    } else {
        certificate::advice(&describe(source), "broker.ca_file")
    };
    advice.map(|advice| format!("; {advice}")).unwrap_or_default()
}

/// Whether the broker does not know the user or its password.
fn is_stranger(error: &lapin::Error) -> bool {
    let lapin::ErrorKind::ProtocolError(error) = error.kind() else {
        return false;
    };
    matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED))
        && error.get_message().as_str().contains("Login was refused")
}

/// Where the broker is and who asks. Its password is never shown.
#[derive(Clone)]
pub struct BrokerAddress {
    uri: AMQPUri,
    trust: Option<Trust>,
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
        let trust = ca_file.map(Trust::read).transpose()?;
        Ok(Self {
            uri,
            trust,
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
        let uri = self.uri.clone();
        let connecting = async {
            match &self.trust {
                Some(trust) => trust.connect(uri, options).await,
                None => Connection::connect_uri(uri, options).await,
            }
        };
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
