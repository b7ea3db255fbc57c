//! Publishing that counts only when the broker has the message and had a queue for it.

use std::sync::Arc;
use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation};
use pointsman_shared::wire::topology::Exchange;
use pointsman_shared::wire::{TRACE_HEADER, TraceParent};
use tokio::sync::watch;

/// Longest wait for a confirm.
const CONFIRM: Duration = Duration::from_secs(10);
/// Kept by the broker across a restart.
const PERSISTENT: u8 = 2;

/// A message that was not published, as far as we know.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is no connection.
    #[error("there is no connection to the broker")]
    Away,
    /// No queue takes it.
    #[error("no queue of the broker takes messages with key {key}")]
    Unroutable {
        /// Its key.
        key: String,
    },
    /// The broker said no.
    #[error("the broker refused a message with key {key}")]
    Refused {
        /// Its key.
        key: String,
    },
    /// The broker said nothing.
    #[error("the broker did not confirm a message within {} s", CONFIRM.as_secs())]
    Silent,
    /// The connection broke.
    #[error("the connection to the broker broke")]
    Broken(#[source] lapin::Error),
}

/// Sets the channel that a [`Publisher`] uses.
pub(super) struct Stage(watch::Sender<Option<Arc<Channel>>>);

impl Stage {
    pub(super) fn set(&self, channel: Channel) {
        self.0.send_replace(Some(Arc::new(channel)));
    }

    pub(super) fn clear(&self) {
        self.0.send_replace(None);
    }
}

/// Publishes over whatever connection stands; clones publish over the same.
#[derive(Debug, Clone)]
pub struct Publisher {
    channel: watch::Receiver<Option<Arc<Channel>>>,
}

pub(super) fn publisher() -> (Stage, Publisher) {
    let (stage, channel) = watch::channel(None);
    (Stage(stage), Publisher { channel })
}

impl Publisher {
    /// Publishes and waits until it counts. `trace` goes along when the message belongs to a job that has one.
    pub async fn publish(
        &self,
        exchange: &Exchange,
        key: &str,
        bytes: &[u8],
        trace: Option<&TraceParent>,
    ) -> Result<(), PublishError> {
        let channel = self.channel.borrow().clone().ok_or(PublishError::Away)?;
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let mut properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into());
        if let Some(trace) = trace {
            let mut headers = FieldTable::default();
            headers.insert(TRACE_HEADER.into(), AMQPValue::LongString(trace.as_str().into()));
            properties = properties.with_headers(headers);
        }
        let publishing = async {
            let confirm = channel
                .basic_publish(exchange.name.into(), key.into(), options, bytes, properties)
                .await?;
            confirm.await
        };
        match tokio::time::timeout(CONFIRM, publishing).await {
            Err(_) => Err(PublishError::Silent),
            Ok(Err(error)) => Err(PublishError::Broken(error)),
            // Only this counts: `is_ack` would also be true for a message that no queue took.
            Ok(Ok(Confirmation::Ack(None))) => Ok(()),
            Ok(Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)))) => {
                Err(PublishError::Unroutable { key: key.to_owned() })
            }
            Ok(Ok(Confirmation::Nack(None) | Confirmation::NotRequested)) => {
                Err(PublishError::Refused { key: key.to_owned() })
            }
        }
    }

    /// Waits for a connection; false when there will be none any more.
    pub async fn until_connected(&mut self) -> bool {
        self.channel.wait_for(Option::is_some).await.is_ok()
    }

    /// Waits until the connection is another than it was.
    pub async fn until_changed(&mut self) {
        if self.channel.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
