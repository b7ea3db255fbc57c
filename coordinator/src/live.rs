//! Numbers committed events and shows them to whoever listens in this process.
//!
//! Every coordinator that serves HTTP runs [`feed`]; whichever holds the numbering lock numbers. Notifications only
//! poke it, looking again is the net. It refuses to wait for slow readers: they fall out and resume at their cursor.

use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::api::events::Event;
use pointsman_store::events;
use pointsman_store::listener::{Call, Listener};
use pointsman_store::{Store, StoreResult};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// Events a reader may lag behind before it falls out.
const BACKLOG: usize = 1024;
/// Rows that are read at once.
const PAGE: i64 = 500;
/// How long to wait before looking without having been called.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long to wait after the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Where numbered events go out; cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    sender: broadcast::Sender<Arc<Event>>,
    begun: watch::Sender<bool>,
}

impl Hub {
    /// A hub without readers.
    pub fn new() -> Self {
        Self {
            sender: broadcast::channel(BACKLOG).0,
            begun: watch::channel(false).0,
        }
    }

    /// Events that are numbered from now on; subscribe before looking at what is there.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.sender.subscribe()
    }

    /// Waits until the feed shows all that comes after what is in the database. What is numbered before that is shown
    /// to nobody, so a reader must look at what is there after it.
    pub async fn begun(&self) {
        // The sender lives in this hub: it cannot be gone.
        self.begun.subscribe().wait_for(|begun| *begun).await.ok();
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

/// Numbers and shows events until `shutdown`.
pub async fn feed(app: App, hub: Hub, shutdown: CancellationToken) {
    let mut cursor = None;
    while !shutdown.is_cancelled() {
        let ended = tokio::select! {
            () = shutdown.cancelled() => return,
            ended = follow(&app, &hub, &mut cursor) => ended,
        };
        if let Err(error) = ended {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "events cannot be read; trying again"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Listens first, then looks, so that nothing falls between; returns only when the database fails.
async fn follow(app: &App, hub: &Hub, cursor: &mut Option<i64>) -> StoreResult<()> {
    let mut listener = Listener::connect(&app.store, Call::Events).await?;
    let mut reached = match *cursor {
        Some(reached) => reached,
        None => newest(&app.store).await?,
    };
    *cursor = Some(reached);
    hub.begun.send_replace(true);
    loop {
        while number(&app.store).await? > 0 {}
        reached = show(&app.store, hub, reached).await?;
        *cursor = Some(reached);
        tokio::select! {
            heard = listener.heard() => heard?,
            () = app.bells.events.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

async fn number(store: &Store) -> StoreResult<u64> {
    let mut tx = store.begin().await?;
    let numbered = events::number(&mut tx).await?;
    tx.commit().await?;
    Ok(numbered)
}

async fn newest(store: &Store) -> StoreResult<i64> {
    let mut conn = store.read().await?;
    events::newest_cursor(&mut conn).await
}

/// Shows what comes after a cursor, and says how far it got.
async fn show(store: &Store, hub: &Hub, mut reached: i64) -> StoreResult<i64> {
    let mut conn = store.read().await?;
    loop {
        let fresh = events::after(&mut conn, reached, PAGE).await?;
        let Some(last) = fresh.last() else { break };
        reached = last.cursor;
        for event in fresh {
            // Nobody listens: that is no error.
            hub.sender.send(Arc::new(event)).ok();
        }
    }
    Ok(reached)
}
