//! Publishing so that "sent" means stored: persistent, mandatory, confirmed. Only `Ack(None)` counts; an unroutable
//! message is acked, too, with the message returned.

use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use pointsman_shared::wire::topology;
use pointsman_shared::wire::{Envelope, TRACE_HEADER};

use super::error::{BrokerError, BrokerResult};

/// How long a confirm is waited for.
pub const CONFIRM: Duration = Duration::from_secs(10);
/// Delivery mode "persistent".
const PERSISTENT: u8 = 2;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It is stored in a queue.
    Confirmed,
    /// No queue is bound for it.
    Unroutable,
    /// The broker refused it.
    Refused,
    /// No confirm came in time.
    Silent,
}

/// A channel in confirm mode.
#[derive(Debug, Clone)]
pub struct Publisher {
    channel: Channel,
}

impl Publisher {
    /// Opens a channel for publishing.
    pub async fn open(connection: &Connection) -> BrokerResult<Self> {
        let channel = connection
            .create_channel()
            .await
            .map_err(BrokerError::amqp("opening a channel"))?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .map_err(BrokerError::amqp("asking for confirms"))?;
        Ok(Self { channel })
    }

    /// Hands a message to the broker; the answer comes with [`settled`].
    pub async fn send(
        &self,
        exchange: &str,
        key: &str,
        bytes: &[u8],
        trace: Option<&str>,
    ) -> BrokerResult<PublisherConfirm> {
        let mut properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into());
        if let Some(trace) = trace {
            let mut headers = FieldTable::default();
            headers.insert(
                TRACE_HEADER.into(),
                AMQPValue::LongString(LongString::from(trace)),
            );
            properties = properties.with_headers(headers);
        }
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        self.channel
            .basic_publish(exchange.into(), key.into(), options, bytes, properties)
            .await
            .map_err(BrokerError::amqp("publishing"))
    }

    /// Hands an envelope to the broker and waits for its confirm.
    pub async fn publish(
        &self,
        exchange: &str,
        key: &str,
        envelope: &Envelope,
        trace: Option<&str>,
    ) -> BrokerResult<Delivery> {
        let sent = tokio::time::timeout(CONFIRM, self.send(exchange, key, &envelope.to_bytes(), trace)).await;
        crate::crash_point!(C2);
        match sent {
            Ok(confirm) => settled(confirm?).await,
            Err(_) => Ok(Delivery::Silent),
        }
    }

    /// Whether the broker confirms anything at all: a memory alarm silences every queue, a dead queue only itself.
    pub async fn probe(&self) -> BrokerResult<bool> {
        let send = self.send(topology::CONTROL.name, topology::COORDINATOR_PROBE, b"{}", None);
        let Ok(confirm) = tokio::time::timeout(CONFIRM, send).await else {
            return Ok(false);
        };
        Ok(settled(confirm?).await? == Delivery::Confirmed)
    }
}

/// Waits for the broker's word on a message.
pub async fn settled(confirm: PublisherConfirm) -> BrokerResult<Delivery> {
    let Ok(confirmation) = tokio::time::timeout(CONFIRM, confirm).await else {
        return Ok(Delivery::Silent);
    };
    Ok(
        match confirmation.map_err(BrokerError::amqp("waiting for a confirm"))? {
            Confirmation::Ack(None) => Delivery::Confirmed,
            Confirmation::Ack(Some(_)) => Delivery::Unroutable,
            Confirmation::Nack(_) => Delivery::Refused,
            // The channel is in confirm mode; without it nothing would be known.
            Confirmation::NotRequested => Delivery::Silent,
        },
    )
}
