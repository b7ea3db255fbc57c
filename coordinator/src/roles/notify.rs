//! Tells people: turns events into deliveries, and sends what is due. Each channel has its own task, so that a slow or
//! broken receiver delays no other one, and nothing else waits for any of them.

use std::collections::HashMap;
use std::time::Duration;

use pointsman_shared::ids::ChannelId;
use pointsman_store::deliveries;
use pointsman_store::listener::{Call, Listener};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::OperationResult;
use crate::operations::collect_notifications::{self, Collected};
use crate::operations::deliver;

/// The net under every notification.
const POLL: Duration = Duration::from_secs(2);
/// How long to wait after the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Collects and sends until `stop`; what is being sent then is finished.
pub async fn run(app: &App, stop: &CancellationToken) {
    let mut sending = Sending::default();
    while !stop.is_cancelled() {
        let ended = tokio::select! {
            () = stop.cancelled() => break,
            ended = watch(app, &mut sending) => ended,
        };
        if let Err(error) = ended {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "notifications cannot be read; trying again"
            );
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
    while let Some(ended) = sending.tasks.join_next_with_id().await {
        sending.end(ended);
    }
}

/// Channels that are being sent to, one delivery each.
#[derive(Default)]
struct Sending {
    tasks: JoinSet<OperationResult<()>>,
    channels: HashMap<Id, ChannelId>,
}

impl Sending {
    fn end(&mut self, ended: Result<(Id, OperationResult<()>), tokio::task::JoinError>) {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => {
                // Its claim comes back by itself.
                tracing::error!(%error, "a notification's task died");
                (error.id(), Ok(()))
            }
        };
        self.channels.remove(&id);
        if let Err(error) = outcome {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "how a notification went could not be stored; it may be sent again"
            );
        }
    }

    async fn claim(&mut self, app: &App) -> OperationResult<()> {
        let busy: Vec<ChannelId> = self.channels.values().copied().collect();
        for due in deliver::claim(app, &busy).await? {
            let (app, channel) = (app.clone(), due.channel);
            let task = self
                .tasks
                .spawn(async move { deliver::execute(&app, &due).await });
            self.channels.insert(task.id(), channel);
        }
        Ok(())
    }
}

/// Listens first, then looks, so that nothing falls between; returns only when the database fails.
async fn watch(app: &App, sending: &mut Sending) -> OperationResult<()> {
    let mut listener = Listener::connect(&app.store, Call::Events).await?;
    loop {
        while collect_notifications::execute(app).await? == Collected::Page {}
        sending.claim(app).await?;
        let pause = pause(app).await?;
        tokio::select! {
            heard = listener.heard() => heard?,
            () = app.bells.notify.notified() => {}
            Some(ended) = sending.tasks.join_next_with_id(), if !sending.tasks.is_empty() => sending.end(ended),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Until a delivery is tried again, when that is before the next look.
async fn pause(app: &App) -> OperationResult<Duration> {
    let next = deliveries::waits_for(&mut *app.store.read().await?).await?;
    let next = next.and_then(|next| (next - app.clock.now()).to_std().ok());
    // A little later, so that the database's clock agrees.
    Ok(next.map_or(POLL, |next| (next + Duration::from_millis(50)).min(POLL)))
}
