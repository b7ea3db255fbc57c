//! Publishes the outbox: claims rows for a short time, signs, publishes, and marks what the broker confirmed.
//!
//! Each queue has its own task, so that a silent one delays nobody. No transaction is open while anything is published;
//! a crash anywhere sends a row twice at most, which the claim behind it makes harmless.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::wire::to_agent::Offer;
use pointsman_shared::wire::{self, Envelope, TraceParent};
use pointsman_store::listener::{Call, Listener};
use pointsman_store::outbox::{self, Due, Message};
use pointsman_store::{StoreResult, hosts};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::connection::{connect, supervise};
use super::error::BrokerResult;
use super::publisher::{Delivery, Publisher};
use super::topology::Topology;
use crate::app::App;

/// Rows claimed at once.
const BATCH: i64 = 200;
/// How long a claim holds: longer than a confirm and a probe take.
const CLAIM_S: f64 = 45.0;
/// How long a row rests after the broker refused it or had no queue for it.
const REST_S: f64 = 1.0;
/// The net under every notification.
const POLL: Duration = Duration::from_secs(2);

/// Publishes until `stop`; what is under way then is finished.
pub async fn run(app: &App, topology: &Arc<Topology>, stop: &CancellationToken) {
    app.metrics.process.expect_broker("relay");
    supervise("relay", app.ids.as_ref(), stop, || session(app, topology, stop)).await;
}

async fn session(app: &App, topology: &Arc<Topology>, stop: &CancellationToken) -> BrokerResult<()> {
    topology.ensure().await?;
    let connection = connect(&app.config.broker, "relay").await?;
    let _up = app.metrics.process.broker_up("relay");
    let publisher = Publisher::open(&connection).await?;
    let mut listener = Listener::connect(&app.store, Call::Outbox).await?;
    let mut tasks: JoinSet<(String, BrokerResult<()>)> = JoinSet::new();
    let mut busy = BTreeSet::new();
    let mut outcome = Ok(());
    while outcome.is_ok() && !stop.is_cancelled() {
        for (queue, rows) in claim(app, busy.iter().cloned().collect()).await? {
            busy.insert(queue.clone());
            let line = Line {
                app: app.clone(),
                topology: Arc::clone(topology),
                publisher: publisher.clone(),
                status: connection.status().clone(),
            };
            tasks.spawn(async move { (queue, line.send_all(rows).await) });
        }
        tokio::select! {
            () = stop.cancelled() => {}
            heard = listener.heard() => heard?,
            () = app.bells.relay.notified() => {}
            Some(done) = tasks.join_next(), if !tasks.is_empty() => outcome = finish(done, &mut busy),
            () = tokio::time::sleep(POLL) => {}
        }
    }
    // Tasks of a broken session fail at once and give their rows back; those of a good one finish.
    while let Some(done) = tasks.join_next().await {
        outcome = outcome.and(finish(done, &mut busy));
    }
    connection.close(200, "draining".into()).await.ok();
    outcome
}

type Done = Result<(String, BrokerResult<()>), tokio::task::JoinError>;

fn finish(done: Done, busy: &mut BTreeSet<String>) -> BrokerResult<()> {
    match done {
        Ok((queue, outcome)) => {
            busy.remove(&queue);
            outcome
        }
        Err(error) => {
            // Its rows come back when their claim is over; which queue it was is unknown, so all may be claimed again.
            tracing::error!(%error, "a relay task died");
            busy.clear();
            Ok(())
        }
    }
}

async fn claim(app: &App, busy: Vec<String>) -> StoreResult<HashMap<String, Vec<Due>>> {
    let mut tx = app.store.begin().await?;
    let due = outbox::claim(&mut tx, BATCH, CLAIM_S, &busy).await?;
    tx.commit().await?;
    let mut queues: HashMap<String, Vec<Due>> = HashMap::new();
    for row in due {
        queues.entry(row.routing_key.clone()).or_default().push(row);
    }
    Ok(queues)
}

/// The span of publishing, in the trace of the job that the row belongs to.
fn span(row: &Due) -> tracing::Span {
    let trace = row
        .trace
        .as_ref()
        .and_then(|trace| trace.parse::<TraceParent>().ok());
    let span = tracing::info_span!(
        "publish",
        queue = row.routing_key,
        trace_id = trace.as_ref().map(TraceParent::trace_id)
    );
    pointsman_telemetry::join(&span, trace.as_ref());
    span
}

fn note_sent(row: &Due) {
    let (what, job, epoch) = match &row.message {
        Message::Offer { job, epoch, .. } => ("an offer is published", job, epoch),
        Message::Cancel(cancel) => ("a cancel is published", &cancel.job, &cancel.epoch),
        Message::Adopt(_) | Message::Outdated => return,
    };
    tracing::info!(%job, %epoch, "{what}");
}

/// One queue's way out.
struct Line {
    app: App,
    topology: Arc<Topology>,
    publisher: Publisher,
    status: lapin::ConnectionStatus,
}

impl Line {
    /// Sends rows in order; the first that does not arrive gives the rest back.
    async fn send_all(&self, rows: Vec<Due>) -> BrokerResult<()> {
        for (done, row) in rows.iter().enumerate() {
            let Some(envelope) = self.seal(row).await? else {
                outbox::drop_row(&mut *self.app.store.read().await?, row.id).await?;
                continue;
            };
            crate::crash_point!(C1);
            let span = span(row);
            let published = self
                .publisher
                .publish(&row.exchange, &row.routing_key, &envelope, row.trace.as_deref())
                .instrument(span.clone())
                .await;
            match published {
                Ok(Delivery::Confirmed) => {
                    crate::crash_point!(C3);
                    span.in_scope(|| note_sent(row));
                    self.topology.delivered(&row.routing_key);
                    outbox::mark_sent(&mut *self.app.store.read().await?, row.id).await?;
                }
                Ok(delivery) => {
                    self.give_back(&rows[done + 1..], REST_S).await?;
                    return self.undelivered(row, delivery).await;
                }
                Err(error) => {
                    self.give_back(&rows[done..], 0.0).await?;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    async fn give_back(&self, rows: &[Due], rest_s: f64) -> BrokerResult<()> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        outbox::release(&mut *self.app.store.read().await?, &ids, rest_s).await?;
        Ok(())
    }

    /// The row comes back after a rest; its queue is looked after meanwhile.
    async fn undelivered(&self, row: &Due, delivery: Delivery) -> BrokerResult<()> {
        let queue = &row.routing_key;
        let misses = outbox::mark_missed(&mut *self.app.store.read().await?, row.id).await?;
        tracing::warn!(queue, ?delivery, misses, "an outbox row was not confirmed");
        self.topology
            .undelivered(queue, delivery, &self.publisher, &self.status)
            .await?;
        self.give_back(std::slice::from_ref(row), REST_S).await
    }

    /// Signs a row; none when there is nothing to say any more.
    async fn seal(&self, row: &Due) -> BrokerResult<Option<Envelope>> {
        let signatory = &self.app.signatory;
        let envelope = match &row.message {
            Message::Offer {
                job,
                epoch,
                body,
                digest,
            } => signatory.sign_offer(Offer {
                v: wire::VERSION,
                job: *job,
                epoch: *epoch,
                body: body.clone(),
                digest: *digest,
                issued_at: self.app.clock.now().timestamp_millis(),
                expires_at: row.expires_at.timestamp_millis(),
            }),
            Message::Cancel(cancel) => {
                let mut cancel = cancel.clone();
                cancel.serial = self.next_serial(&cancel.host).await?;
                signatory.sign_cancel(cancel)
            }
            Message::Adopt(adopt) => {
                let mut adopt = adopt.clone();
                adopt.serial = self.next_serial(&adopt.host).await?;
                signatory.sign_adopt(adopt)
            }
            Message::Outdated => return Ok(None),
        };
        Ok(Some(envelope))
    }

    /// Serials are drawn when a message is sent, so that they rise in the order of sending.
    async fn next_serial(&self, host: &pointsman_shared::name::HostId) -> BrokerResult<u64> {
        let mut conn = self.app.store.read().await?;
        Ok(hosts::next_control_serial(&mut conn, host).await?)
    }
}
