//! Connections, queues of offers.

use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, Consumer};
use pointsman_shared::wire::to_agent::Offer;
use pointsman_shared::wire::{Envelope, KeySet, TRACE_HEADER, ToAgent, TraceParent};

use crate::world::PATIENCE;

/// A queue of offers, read one at a time.
pub struct Offers {
    pub consumer: Consumer,
    pub keys: KeySet,
    /// What came beside the newest offer.
    pub trace: Option<TraceParent>,
}

impl Offers {
    /// The next offer, acked.
    pub async fn next(&mut self) -> Offer {
        let delivery = self.delivery().await;
        delivery.ack(BasicAckOptions::default()).await.unwrap();
        self.trace = trace_of(&delivery);
        let envelope = Envelope::from_bytes(&delivery.data).unwrap();
        let ToAgent::Offer(offer) = envelope.verify::<ToAgent>(&self.keys).unwrap().into_inner() else {
            panic!("not an offer");
        };
        offer
    }

    /// Gives the next delivery back as unreadable.
    pub async fn reject(&mut self) {
        let delivery = self.delivery().await;
        delivery
            .reject(BasicRejectOptions { requeue: false })
            .await
            .unwrap();
    }

    async fn delivery(&mut self) -> lapin::message::Delivery {
        let next = tokio::time::timeout(PATIENCE, self.consumer.next()).await;
        next.expect("no offer came").expect("the consumer ended").unwrap()
    }
}

/// The trace context beside a message.
pub fn trace_of(delivery: &lapin::message::Delivery) -> Option<TraceParent> {
    let header = delivery
        .properties
        .headers()
        .as_ref()?
        .inner()
        .get(TRACE_HEADER)?;
    TraceParent::read(header.as_long_string()?.as_bytes())
}

pub async fn connect(url: &str) -> Connection {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let url = format!("{url}?frame_max=16384&heartbeat=5");
        match Connection::connect(&url, ConnectionProperties::default()).await {
            Ok(connection) => return connection,
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

pub async fn publishing(connection: &Connection) -> Channel {
    let channel = connection.create_channel().await.unwrap();
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    channel
}

pub async fn consume(connection: &Connection, queue: &str, prefetch: u16) -> Consumer {
    let channel = connection.create_channel().await.unwrap();
    channel
        .basic_qos(prefetch, BasicQosOptions::default())
        .await
        .unwrap();
    let tag = format!("test-{queue}");
    channel
        .basic_consume(
            queue.into(),
            tag.into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap()
}
