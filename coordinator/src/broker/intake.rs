//! Consumes what agents say: several coordinators share the queues, and one host's messages go through one lane, so
//! that they are applied in the order they came.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionStatus, Consumer};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection::{connect, supervise};
use super::error::{BrokerError, BrokerResult};
use super::incoming::claimed_host;
use super::lane::{Lane, Source};
use super::publisher::Publisher;
use super::topology::Topology;
use crate::app::App;

/// Deliveries held at once, per queue.
const PREFETCH: u16 = 50;
/// Lanes for reports and dead letters, and as many again for logs: a flood of logs never delays a heartbeat.
const LANES: usize = 6;
/// How long lanes may take to finish what they hold when we drain.
const DRAIN: Duration = Duration::from_secs(15);

/// Takes in messages until `stop`; what was delivered by then is finished.
pub async fn run(app: &App, topology: &Arc<Topology>, stop: &CancellationToken) {
    app.metrics.process.expect_broker("intake");
    supervise("intake", app.ids.as_ref(), stop, || session(app, topology, stop)).await;
}

async fn session(app: &App, topology: &Arc<Topology>, stop: &CancellationToken) -> BrokerResult<()> {
    // A consumer that could apply nothing would only hold deliveries.
    pointsman_store::now(&mut *app.store.read().await?).await?;
    topology.ensure().await?;
    let connection = connect(&app.config.broker, "intake").await?;
    let _up = app.metrics.process.broker_up("intake");
    let publisher = Publisher::open(&connection).await?;
    let mut lanes = Lanes::open(app, topology, &publisher, connection.status());
    let ended = feed(&connection, &lanes, stop).await;
    let drained = match &ended {
        Ok(()) => lanes.drain().await,
        Err(_) => Ok(()),
    };
    connection.close(200, "intake ends".into()).await.ok();
    ended.and(drained)
}

/// Feeds the lanes until `stop`, or until a consumer or a lane ends.
async fn feed(connection: &Connection, lanes: &Lanes, stop: &CancellationToken) -> BrokerResult<()> {
    let mut open = Vec::new();
    for source in [Source::Reports, Source::Logs, Source::Dead] {
        open.push((source, consume(connection, source).await?));
    }
    let mut streams = futures_util::stream::SelectAll::new();
    for (source, (_, consumer)) in &open {
        let source = *source;
        let ended = futures_util::stream::once(async move { (source, None) });
        streams.push(Box::pin(
            consumer
                .clone()
                .map(move |delivery| (source, Some(delivery)))
                .chain(ended),
        ));
    }
    loop {
        let (source, delivery) = tokio::select! {
            () = stop.cancelled() => break,
            () = lanes.any_ended() => return Ok(()),
            Some(next) = streams.next() => next,
        };
        match delivery {
            Some(Ok(delivery)) => lanes.give(source, delivery).await,
            Some(Err(error)) => return Err(BrokerError::amqp("consuming")(error)),
            None => {
                return Err(BrokerError::ConsumerEnded {
                    queue: source.queue().to_owned(),
                });
            }
        }
    }
    for (source, (channel, _)) in &open {
        let tag = consumer_tag(*source);
        channel
            .basic_cancel(tag.into(), BasicCancelOptions::default())
            .await
            .ok();
    }
    Ok(())
}

fn consumer_tag(source: Source) -> String {
    format!("intake-{}", source.queue())
}

/// Opens a consumer on a channel of its own; the channel must live as long as the consumer.
async fn consume(connection: &Connection, source: Source) -> BrokerResult<(Channel, Consumer)> {
    let channel = connection
        .create_channel()
        .await
        .map_err(BrokerError::amqp("opening a channel"))?;
    channel
        .basic_qos(PREFETCH, BasicQosOptions::default())
        .await
        .map_err(BrokerError::amqp("limiting deliveries"))?;
    let consumer = channel
        .basic_consume(
            source.queue().into(),
            consumer_tag(source).into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(BrokerError::amqp("starting a consumer"))?;
    Ok((channel, consumer))
}

/// The lanes and their ends.
struct Lanes {
    senders: Vec<mpsc::Sender<(Source, Delivery)>>,
    tasks: JoinSet<BrokerResult<()>>,
    ended: CancellationToken,
}

impl Lanes {
    fn open(app: &App, topology: &Arc<Topology>, publisher: &Publisher, status: &ConnectionStatus) -> Self {
        let ended = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let senders = (0..LANES * 2)
            .map(|_| {
                let (sender, receiver) = mpsc::channel(usize::from(PREFETCH));
                let lane = Lane::new(
                    app.clone(),
                    Arc::clone(topology),
                    publisher.clone(),
                    status.clone(),
                );
                let ended = ended.clone();
                tasks.spawn(async move {
                    let _tells = ended.drop_guard();
                    lane.run(receiver).await
                });
                sender
            })
            .collect();
        Self {
            senders,
            tasks,
            ended,
        }
    }

    /// A lane ends only by an error while its sender lives.
    async fn any_ended(&self) {
        self.ended.cancelled().await;
    }

    async fn give(&self, source: Source, delivery: Delivery) {
        let first = match source {
            Source::Reports | Source::Dead => 0,
            Source::Logs => LANES,
        };
        let key = match source {
            // One host's reports stay in order; a log's chunks may come in any.
            Source::Reports => claimed_host(delivery.routing_key.as_str()).unwrap_or_default(),
            Source::Logs | Source::Dead => delivery.routing_key.as_str(),
        };
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let lane = first + usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default();
        // A lane that is gone has told so; its deliveries go back to the broker with the connection.
        self.senders[lane].send((source, delivery)).await.ok();
    }

    /// Lets every lane finish what it holds.
    async fn drain(&mut self) -> BrokerResult<()> {
        self.senders.clear();
        let finish = async {
            let mut outcome = Ok(());
            while let Some(done) = self.tasks.join_next().await {
                outcome = outcome.and(done.unwrap_or(Ok(())));
            }
            outcome
        };
        tokio::time::timeout(DRAIN, finish).await.unwrap_or(Ok(()))
    }
}
