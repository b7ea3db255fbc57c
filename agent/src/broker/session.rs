//! One connection from its first frame to its end.
//!
//! The control queue is consumed before anything else and its loss ends the session. A job queue that is refused or gone
//! is tried again by itself: a coordinator may be about to declare it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicAckOptions, BasicRejectOptions, ConfirmSelectOptions};
use lapin::types::AMQPValue;
use lapin::{Acker, BasicProperties, Channel, Connection};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::{TRACE_HEADER, TraceParent, topology};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::connection::{BrokerAddress, BrokerError};
use super::consumer::{ANSWER, Consumed, ConsumerId, Tagged, begin, forward};
use super::link::{Command, Delivered, LinkEvent, Queue};
use crate::dispatcher::{DeliveryId, JobQueue, Settle};

/// Pause before a refused job queue is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// How often the connection is looked at when nothing happens.
const LOOK: Duration = Duration::from_secs(1);

/// Why a session is over.
#[derive(Debug)]
pub(super) enum Ending {
    /// The agent ends.
    Stopped,
    /// The dispatcher wants a new one.
    Rebuild,
    /// It broke.
    Failed(BrokerError),
}

/// A job queue that is or should be consumed.
#[derive(Debug)]
struct Wanted {
    id: ConsumerId,
    running: Option<Tagged>,
}

/// A delivery that waits to be settled. The channel is kept open for it.
struct Unsettled {
    acker: Acker,
    _channel: Option<Tagged>,
}

pub(super) struct Session {
    address: BrokerAddress,
    host: HostId,
    connection: Arc<Connection>,
    publishing: [Channel; 2],
    control: Tagged,
    wanted: HashMap<JobQueue, Wanted>,
    unsettled: HashMap<DeliveryId, Unsettled>,
    consumers: u64,
    tell: mpsc::UnboundedSender<Consumed>,
    consumed: mpsc::UnboundedReceiver<Consumed>,
}

impl Session {
    /// Connects, prepares publishing and consumes the control queue.
    pub(super) async fn open(address: &BrokerAddress, host: &HostId) -> Result<Self, BrokerError> {
        let connection = Arc::new(address.connect().await?);
        let prepared = tokio::time::timeout(ANSWER, prepare(&connection, host)).await;
        let (publishing, (control, consumer)) = match prepared {
            Ok(prepared) => prepared.map_err(|source| address.refused(source))?,
            Err(_) => {
                return Err(BrokerError::Silent {
                    broker: address.broker(),
                });
            }
        };
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(forward(ConsumerId(0), Queue::Control, consumer, tell.clone()));
        Ok(Self {
            address: address.clone(),
            host: host.clone(),
            connection,
            publishing,
            control,
            wanted: HashMap::new(),
            unsettled: HashMap::new(),
            consumers: 0,
            tell,
            consumed: told,
        })
    }

    /// Channels in confirm mode: for messages, for logs.
    pub(super) fn publishing(&self) -> [Channel; 2] {
        self.publishing.clone()
    }

    /// Obeys and hands on until something ends it.
    pub(super) async fn run(
        &mut self,
        events: &mpsc::Sender<LinkEvent>,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        deliveries: &mut u64,
        stop: &CancellationToken,
    ) -> Ending {
        let ending = loop {
            let done = tokio::select! {
                () = stop.cancelled() => Err(Ending::Stopped),
                command = commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => Err(Ending::Stopped),
                },
                Some(consumed) = self.consumed.recv() => self.hand_on(consumed, events, deliveries).await,
                () = tokio::time::sleep(LOOK) => self.look(),
            };
            if let Err(ending) = done {
                break ending;
            }
        };
        let closing = self.connection.close(200, "bye".into());
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(2), closing).await {
            tracing::debug!(%error, "the connection was gone before it was closed");
        }
        ending
    }

    async fn obey(&mut self, command: Command) -> Result<(), Ending> {
        match command {
            Command::Consume(queue) => {
                if !self.wanted.contains_key(&queue) {
                    self.consume(queue, Duration::ZERO);
                }
                Ok(())
            }
            Command::Stop(queue) => match self.wanted.remove(&queue).and_then(|wanted| wanted.running) {
                Some(running) => running.cancel().await.map_err(|error| self.failed(error)),
                None => Ok(()),
            },
            Command::Settle(id, how) => {
                self.settle(id, how).await;
                Ok(())
            }
            Command::Rebuild => Err(Ending::Rebuild),
        }
    }

    async fn settle(&mut self, id: DeliveryId, how: Settle) {
        // Unknown ones came over an earlier connection; the broker delivers them again.
        let Some(unsettled) = self.unsettled.remove(&id) else {
            return;
        };
        let settled = match how {
            Settle::Ack => unsettled.acker.ack(BasicAckOptions::default()).await,
            Settle::Reject => {
                let options = BasicRejectOptions { requeue: false };
                unsettled.acker.reject(options).await
            }
        };
        // Its channel is gone and the broker delivers it again; a broken connection is noticed elsewhere.
        if let Err(error) = settled {
            tracing::warn!(%error, "a delivery was not settled");
        }
    }

    /// Consumes a job queue after `pause`, in a task of its own: a broken queue may never answer, and control must not
    /// wait for it.
    fn consume(&mut self, queue: JobQueue, pause: Duration) {
        self.consumers += 1;
        let id = ConsumerId(self.consumers);
        self.wanted.insert(queue.clone(), Wanted { id, running: None });
        let name = match &queue {
            JobQueue::Host => topology::host_jobs(&self.host),
            JobQueue::Pool(pool) => topology::pool_jobs(pool),
        };
        let tag = format!("{}.{}", self.host, id.0);
        let (connection, tell) = (Arc::clone(&self.connection), self.tell.clone());
        let queue = Queue::Jobs(queue);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let began = tokio::time::timeout(ANSWER, begin(&connection, &name, &tag)).await;
            let error = match began {
                Ok(Ok((tagged, consumer))) => {
                    drop(tell.send(Consumed::Started(id, queue.clone(), tagged)));
                    return forward(id, queue, consumer, tell).await;
                }
                Ok(Err(error)) => Some(error),
                Err(_) => None,
            };
            drop(tell.send(Consumed::Ended(id, queue, error)));
        });
    }

    async fn hand_on(
        &mut self,
        consumed: Consumed,
        events: &mpsc::Sender<LinkEvent>,
        deliveries: &mut u64,
    ) -> Result<(), Ending> {
        match consumed {
            Consumed::Started(id, queue, tagged) => match self.current(id, &queue) {
                Some(wanted) => wanted.running = Some(tagged),
                // Stopped while it began.
                None => tagged.cancel().await.map_err(|error| self.failed(error))?,
            },
            Consumed::Message(id, queue, delivery) => {
                *deliveries += 1;
                let number = DeliveryId(*deliveries);
                let channel = self.current(id, &queue).and_then(|wanted| wanted.running.clone());
                self.unsettled.insert(
                    number,
                    Unsettled {
                        acker: delivery.acker,
                        _channel: channel,
                    },
                );
                let delivered = Delivered {
                    id: number,
                    queue,
                    trace: trace_of(&delivery.properties),
                    bytes: delivery.data,
                };
                let told = events.send(LinkEvent::Delivered(delivered)).await;
                told.map_err(|_| Ending::Stopped)?;
            }
            Consumed::Ended(_, Queue::Control, error) => return Err(self.control_lost(error)),
            Consumed::Ended(id, Queue::Jobs(queue), error) => {
                if self.current(id, &Queue::Jobs(queue.clone())).is_some() {
                    tracing::warn!(?queue, ?error, "an offer queue is not consumed, trying again");
                    self.consume(queue, AGAIN);
                }
            }
        }
        Ok(())
    }

    /// The entry of a job queue, if this consumer is still the one for it.
    fn current(&mut self, id: ConsumerId, queue: &Queue) -> Option<&mut Wanted> {
        match queue {
            Queue::Control => None,
            Queue::Jobs(queue) => self.wanted.get_mut(queue).filter(|wanted| wanted.id == id),
        }
    }

    fn control_lost(&self, error: Option<lapin::Error>) -> Ending {
        match error {
            Some(error) => self.failed(error),
            None => Ending::Failed(BrokerError::NotConsumed {
                queue: topology::host_control(&self.host),
            }),
        }
    }

    fn look(&self) -> Result<(), Ending> {
        let alive = self.connection.status().connected()
            && self.control.channel.status().connected()
            && self.publishing.iter().all(|channel| channel.status().connected());
        if alive {
            return Ok(());
        }
        Err(Ending::Failed(BrokerError::NotConsumed {
            queue: topology::host_control(&self.host),
        }))
    }

    fn failed(&self, source: lapin::Error) -> Ending {
        Ending::Failed(self.address.refused(source))
    }
}

fn trace_of(properties: &BasicProperties) -> Option<TraceParent> {
    let header = properties.headers().as_ref()?.inner().get(TRACE_HEADER)?;
    let AMQPValue::LongString(text) = header else {
        return None;
    };
    TraceParent::read(text.as_bytes())
}

async fn prepare(
    connection: &Connection,
    host: &HostId,
) -> Result<([Channel; 2], (Tagged, lapin::Consumer)), lapin::Error> {
    let messages = confirming(connection).await?;
    let logs = confirming(connection).await?;
    let control = begin(
        connection,
        &topology::host_control(host),
        &format!("{host}.control"),
    )
    .await?;
    Ok(([messages, logs], control))
}

async fn confirming(connection: &Connection) -> Result<Channel, lapin::Error> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}
