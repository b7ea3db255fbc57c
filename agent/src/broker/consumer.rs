//! One consumer of one queue, on a channel of its own, with one message at a time.

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use tokio::sync::mpsc;

use super::link::Queue;

/// Messages in flight per queue: a crash may cost the one it was working on a delivery, never others.
const PREFETCH: u16 = 1;
/// Longest wait for the broker's answer to one of our requests.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// Number of a consumer; a queue that is consumed again gets another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConsumerId(pub(super) u64);

/// What a consumer tells.
#[derive(Debug)]
pub(super) enum Consumed {
    /// It consumes.
    Started(ConsumerId, Queue, Tagged),
    /// A message came.
    Message(ConsumerId, Queue, Box<Delivery>),
    /// It consumes no more: the queue is gone, the broker refused, or the connection broke.
    Ended(ConsumerId, Queue, Option<lapin::Error>),
}

/// A running consumer, to cancel it and to keep its channel open.
#[derive(Debug, Clone)]
pub(super) struct Tagged {
    pub(super) channel: Channel,
    tag: lapin::types::ShortString,
}

impl Tagged {
    /// Asks for no more messages. What follows on this channel, such as an ack, comes after it.
    pub(super) async fn cancel(&self) -> Result<(), lapin::Error> {
        let options = BasicCancelOptions { nowait: true };
        self.channel.basic_cancel(self.tag.clone(), options).await
    }
}

/// Begins to consume.
pub(super) async fn begin(
    connection: &Connection,
    name: &str,
    tag: &str,
) -> Result<(Tagged, Consumer), lapin::Error> {
    let channel = connection.create_channel().await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let consumer = channel
        .basic_consume(
            name.into(),
            tag.into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let tag = consumer.tag();
    Ok((Tagged { channel, tag }, consumer))
}

/// Hands messages on until there are no more.
pub(super) async fn forward(
    id: ConsumerId,
    queue: Queue,
    mut consumer: Consumer,
    to: mpsc::UnboundedSender<Consumed>,
) {
    let error = loop {
        match consumer.next().await {
            Some(Ok(delivery)) => {
                if to
                    .send(Consumed::Message(id, queue.clone(), Box::new(delivery)))
                    .is_err()
                {
                    return;
                }
            }
            Some(Err(error)) => break Some(error),
            None => break None,
        }
    };
    drop(to.send(Consumed::Ended(id, queue, error)));
}
