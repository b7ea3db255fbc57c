//! One lane of the intake: deliveries of the same hosts, one after the other, each acked only after its commit.
//!
//! While the database is away a delivery is kept and tried again in place; nothing is ever requeued for waiting.

use std::sync::Arc;
use std::time::Duration;

use lapin::ConnectionStatus;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicRejectOptions};
use pointsman_shared::wire::{TRACE_HEADER, TraceParent, topology as names};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::error::{BrokerError, BrokerResult};
use super::publisher::{self, Publisher};
use super::topology::Topology;
use super::{dead_letters, incoming};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::operations::refuse_message::{self, Refused};
use crate::reply::Reply;
use incoming::Taken;

/// How long deliveries are kept while the database is away; then the consumer is closed until it answers.
const PATIENCE: Duration = Duration::from_mins(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Failures of one delivery that are not the database's absence, after which it is refused.
const FAILURES: u32 = 3;

/// The trace context that came beside a message; copied into the log, never trusted for more.
fn trace_of(delivery: &Delivery) -> Option<TraceParent> {
    let headers = delivery.properties.headers().as_ref()?;
    let value = headers.inner().get(TRACE_HEADER)?;
    TraceParent::read(value.as_long_string()?.as_bytes())
}

fn is_transient(error: &OperationError) -> bool {
    matches!(error, OperationError::Store(store) if store.is_transient())
}

fn note_failure(source: Source, error: &OperationError, failures: u32) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(
        queue = source.queue(),
        error,
        failures,
        "a delivery could not be applied; it is kept"
    );
}

/// Which queue a delivery came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Reports.
    Reports,
    /// Log chunks.
    Logs,
    /// Dead letters.
    Dead,
}

impl Source {
    /// The queue's name.
    pub const fn queue(self) -> &'static str {
        match self {
            Self::Reports => names::COORDINATOR_REPORTS,
            Self::Logs => names::COORDINATOR_LOGS,
            Self::Dead => names::DEAD,
        }
    }
}

/// A lane's tools.
#[derive(Debug)]
pub struct Lane {
    app: App,
    topology: Arc<Topology>,
    publisher: Publisher,
    status: ConnectionStatus,
    /// Confirms of answers that are on their way; nobody waits for them but the end of the lane.
    confirms: JoinSet<()>,
}

impl Lane {
    /// A lane that answers through `publisher`.
    pub fn new(app: App, topology: Arc<Topology>, publisher: Publisher, status: ConnectionStatus) -> Self {
        Self {
            app,
            topology,
            publisher,
            status,
            confirms: JoinSet::new(),
        }
    }

    /// Takes deliveries until the sender is gone.
    pub async fn run(mut self, mut deliveries: mpsc::Receiver<(Source, Delivery)>) -> BrokerResult<()> {
        while let Some((source, delivery)) = deliveries.recv().await {
            self.take(source, delivery).await?;
            while self.confirms.try_join_next().is_some() {}
        }
        while self.confirms.join_next().await.is_some() {}
        Ok(())
    }

    async fn take(&mut self, source: Source, delivery: Delivery) -> BrokerResult<()> {
        let key = delivery.routing_key.as_str();
        let trace = trace_of(&delivery);
        let span = tracing::info_span!(
            "message",
            queue = source.queue(),
            key,
            trace_id = trace.as_ref().map(TraceParent::trace_id)
        );
        pointsman_telemetry::join(&span, trace.as_ref());
        match self.apply(source, &delivery).instrument(span).await? {
            Taken::Done(replies) => {
                for reply in replies {
                    self.answer(reply, trace.as_ref()).await?;
                }
                let acked = delivery.ack(BasicAckOptions::default()).await;
                acked.map_err(BrokerError::amqp("acking a delivery"))?;
            }
            Taken::Refused { .. } => {
                let options = BasicRejectOptions { requeue: false };
                let rejected = delivery.reject(options).await;
                rejected.map_err(BrokerError::amqp("rejecting a delivery"))?;
            }
        }
        Ok(())
    }

    /// Applies a delivery, again and again while only the database stands against it.
    async fn apply(&self, source: Source, delivery: &Delivery) -> BrokerResult<Taken> {
        let began = tokio::time::Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut failures = 0;
        loop {
            let error = match self.attempt(source, delivery, failures).await {
                Ok(taken) => return Ok(taken),
                Err(error) => error,
            };
            // A database that goes away fails in many ways; what fails while it answers is the delivery's own fault.
            if !is_transient(&error) && self.database_answers().await {
                failures += 1;
            }
            note_failure(source, &error, failures);
            if failures > 2 * FAILURES {
                return Ok(Taken::Refused {
                    code: "internal",
                    reason: "even its refusal could not be kept; the coordinator's log says why".to_owned(),
                });
            }
            if began.elapsed() > PATIENCE {
                return Err(BrokerError::DatabaseAway {
                    minutes: PATIENCE.as_secs() / 60,
                });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn database_answers(&self) -> bool {
        let asked = async { pointsman_store::now(&mut *self.app.store.read().await?).await };
        asked.await.is_ok()
    }

    /// One try. A delivery that failed too often for reasons of its own is refused: it must not block its lane.
    async fn attempt(&self, source: Source, delivery: &Delivery, failures: u32) -> OperationResult<Taken> {
        let key = delivery.routing_key.as_str();
        let taken = if failures >= FAILURES {
            Taken::Refused {
                code: "internal",
                reason: format!("it failed {failures} times; the coordinator's log says why"),
            }
        } else {
            match source {
                Source::Reports => incoming::report(&self.app, key, &delivery.data).await?,
                Source::Logs => incoming::log_chunk(&self.app, key, &delivery.data).await?,
                Source::Dead => dead_letters::take(&self.app, &delivery.data).await?,
            }
        };
        if let Taken::Refused { code, reason } = &taken {
            let refused = Refused {
                queue: source.queue(),
                code,
                reason: reason.clone(),
                claimed_host: incoming::claimed_host(key),
                bytes: &delivery.data,
            };
            refuse_message::execute(&self.app, &refused).await?;
        }
        Ok(taken)
    }

    /// Hands an answer to the broker, with the trace of what it answers. Whether it arrives is only noted: the agent asks again.
    async fn answer(&mut self, reply: Reply, trace: Option<&TraceParent>) -> BrokerResult<()> {
        let queue = names::host_control(&reply.host);
        let bytes = reply.envelope.to_bytes();
        let trace = trace.map(TraceParent::as_str);
        let send = self.publisher.send(names::CONTROL.name, &queue, &bytes, trace);
        let Ok(handed) = tokio::time::timeout(publisher::CONFIRM, send).await else {
            tracing::warn!(queue, "an answer could not be handed to the broker");
            return Ok(());
        };
        let confirm = handed?;
        let (topology, publisher, status) = (
            Arc::clone(&self.topology),
            self.publisher.clone(),
            self.status.clone(),
        );
        self.confirms.spawn(async move {
            let looked_after = async {
                let delivery = publisher::settled(confirm).await?;
                if delivery != publisher::Delivery::Confirmed {
                    tracing::warn!(queue, ?delivery, "an answer was not confirmed");
                }
                topology.undelivered(&queue, delivery, &publisher, &status).await
            };
            if let Err(error) = looked_after.await {
                tracing::warn!(queue, %error, "an answer was not confirmed");
            }
        });
        Ok(())
    }
}
