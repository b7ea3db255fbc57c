//! Watches whether reports are consumed: who has not read the post must not call anybody dead.
//!
//! No lease is expired, no host called unseen and no start deadline counted before reports were consumed for one full
//! lease with an empty backlog. Whatever interrupts that (a broker or database that was away, or this process having
//! been stopped) starts the time anew.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use pointsman_shared::wire::topology;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::{connect, supervise};
use super::error::{BrokerError, BrokerResult};
use super::topology::Topology;
use crate::app::App;

/// Pause between looks at the queue.
const LOOK: Duration = Duration::from_secs(1);
/// A look that is older says nothing: this process was stopped, or the broker hangs.
const STALE: Duration = Duration::from_secs(4);
/// Waiting messages that still count as an empty backlog: what a few consumers take at once.
const BACKLOG: u32 = 50;

/// Since when reports are consumed without a break, as far as this process saw.
#[derive(Debug, Default)]
pub struct Consumption(Mutex<Option<Seen>>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    since: Instant,
    looked: Instant,
    backlog: u32,
}

impl Consumption {
    /// Whether reports were consumed for at least `lease` until now, with nothing left waiting.
    pub fn is_settled(&self, lease: Duration) -> bool {
        let now = Instant::now();
        self.lock().is_some_and(|seen| {
            now - seen.looked < STALE && seen.looked - seen.since >= lease && seen.backlog <= BACKLOG
        })
    }

    /// Something interrupted it.
    pub fn interrupt(&self) {
        *self.lock() = None;
    }

    fn look(&self, consumers: u32, backlog: u32) {
        let now = Instant::now();
        let mut seen = self.lock();
        let unbroken = seen.filter(|seen| consumers > 0 && now - seen.looked < STALE);
        *seen = (consumers > 0).then(|| Seen {
            since: unbroken.map_or(now, |seen| seen.since),
            looked: now,
            backlog,
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at the queue of reports until `stop`.
pub async fn run(app: &App, topology: &Topology, consumption: &Consumption, stop: &CancellationToken) {
    app.metrics.process.expect_broker("watch");
    supervise("watch", app.ids.as_ref(), stop, || async {
        let ended = session(app, topology, consumption, stop).await;
        consumption.interrupt();
        ended
    })
    .await;
}

async fn session(
    app: &App,
    topology: &Topology,
    consumption: &Consumption,
    stop: &CancellationToken,
) -> BrokerResult<()> {
    topology.ensure().await?;
    let connection = connect(&app.config.broker, "watch").await?;
    let _up = app.metrics.process.broker_up("watch");
    let channel = connection
        .create_channel()
        .await
        .map_err(BrokerError::amqp("opening a channel"))?;
    while !stop.is_cancelled() {
        let (consumers, backlog) = depth(&channel).await?;
        consumption.look(consumers, backlog);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    connection.close(200, "watch ends".into()).await.ok();
    Ok(())
}

/// Consumers of the queue of reports, and messages that wait in it.
async fn depth(channel: &Channel) -> BrokerResult<(u32, u32)> {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel
        .queue_declare(
            topology::COORDINATOR_REPORTS.into(),
            options,
            FieldTable::default(),
        )
        .await
        .map_err(BrokerError::amqp("looking at coordinator.reports"))?;
    Ok((queue.consumer_count(), queue.message_count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(45);

    async fn look_for(consumption: &Consumption, seconds: u64, backlog: u32) {
        for _ in 0..seconds {
            consumption.look(1, backlog);
            tokio::time::advance(LOOK).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_of_unbroken_reading_settles_it() {
        let consumption = Consumption::default();
        look_for(&consumption, 40, 0).await;
        assert!(!consumption.is_settled(LEASE));
        look_for(&consumption, 10, 0).await;
        assert!(consumption.is_settled(LEASE));
        look_for(&consumption, 1, BACKLOG + 1).await;
        assert!(!consumption.is_settled(LEASE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_a_lost_consumer_or_an_interruption_start_it_anew() {
        let consumption = Consumption::default();
        look_for(&consumption, 60, 0).await;
        // As after SIGCONT: the first who asks is answered no.
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!consumption.is_settled(LEASE));
        look_for(&consumption, 10, 0).await;
        assert!(!consumption.is_settled(LEASE));
        look_for(&consumption, 60, 0).await;
        consumption.look(0, 0);
        assert!(!consumption.is_settled(LEASE));
        look_for(&consumption, 60, 0).await;
        consumption.interrupt();
        assert!(!consumption.is_settled(LEASE));
    }
}
