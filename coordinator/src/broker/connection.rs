//! Connections to the broker and their supervisor: whatever ends a session, the next one starts from scratch with a new
//! connection. lapin's own recovery is left off: a consumer that ended must never look alive.

use std::time::Duration;

use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use pointsman_shared::ids::IdSource;
use pointsman_shared::wire::topology;
use tokio_util::sync::CancellationToken;

use super::error::{BrokerError, BrokerResult};
use super::trust::Trust;
use crate::config::Broker;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A session that lived this long was a good one; the pauses start over.
const GOOD_SESSION: Duration = Duration::from_secs(10);

/// Parses the broker's address and adds what every connection of ours needs.
pub fn address(url: &str) -> BrokerResult<AMQPUri> {
    let wrong = |what: String| BrokerError::Address { what };
    let mut uri: AMQPUri = url.parse().map_err(wrong)?;
    if !topology::names_vhost(url) {
        topology::DEFAULT_VHOST.clone_into(&mut uri.vhost);
    }
    uri.query.frame_max.get_or_insert(topology::FRAME_MAX);
    uri.query.heartbeat.get_or_insert(topology::HEARTBEAT_S);
    Ok(uri)
}

/// Opens a connection to the configured broker; `name` shows in its own pages.
pub async fn connect(broker: &Broker, name: &str) -> BrokerResult<Connection> {
    connect_to(&broker.url, broker, name).await
}

/// Opens a connection to the configured broker under another address, such as one with another user.
pub(super) async fn connect_to(url: &str, broker: &Broker, name: &str) -> BrokerResult<Connection> {
    let properties =
        ConnectionProperties::default().with_connection_name(format!("coordinator {name}").into());
    let uri = address(url)?;
    let trust = broker.ca_file.as_deref().map(Trust::read).transpose()?;
    let attempt = async {
        match trust {
            Some(trust) => trust.connect(uri, properties).await,
            None => Connection::connect_uri(uri, properties).await,
        }
    };
    let timed_out = |_| {
        lapin::Error::from(lapin::ErrorKind::IOError(std::sync::Arc::new(
            std::io::Error::from(std::io::ErrorKind::TimedOut),
        )))
    };
    tokio::time::timeout(Duration::from_secs(15), attempt)
        .await
        .map_err(timed_out)
        .and_then(|connected| connected)
        .map_err(BrokerError::amqp("connecting"))
}

/// Runs sessions one after the other until `stop`, with growing, jittered pauses between those that fail.
pub async fn supervise<S, F>(name: &'static str, ids: &dyn IdSource, stop: &CancellationToken, mut session: S)
where
    S: FnMut() -> F + Send,
    F: Future<Output = BrokerResult<()>> + Send,
{
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        let began = tokio::time::Instant::now();
        let outcome = session().await;
        if stop.is_cancelled() {
            return;
        }
        if began.elapsed() > GOOD_SESSION {
            pause = FIRST_PAUSE;
        }
        let rest = jittered(pause, ids);
        match outcome {
            Ok(()) => tracing::info!(session = name, "broker session ended"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    session = name,
                    error,
                    retry_ms = rest.as_millis(),
                    "broker session failed"
                );
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A random part of `pause`, at least a tenth, so that a fleet does not come back in step.
fn jittered(pause: Duration, ids: &dyn IdSource) -> Duration {
    let [.., last] = *ids.next().as_bytes();
    pause.mul_f64(f64::from(last).mul_add(0.9 / 255.0, 0.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vhost_defaults_to_pointsman_and_frames_stay_small() {
        let uri = address("amqp://c:secret@127.0.0.1:5672").unwrap();
        assert_eq!(
            (uri.vhost.as_str(), uri.query.frame_max),
            ("pointsman", Some(topology::FRAME_MAX))
        );
        let uri = address("amqp://c:secret@127.0.0.1:5672/other?frame_max=8192").unwrap();
        assert_eq!((uri.vhost.as_str(), uri.query.frame_max), ("other", Some(8192)));
        assert_eq!(uri.query.heartbeat, Some(topology::HEARTBEAT_S));
    }
}
