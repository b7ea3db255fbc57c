//! Waits for the database's calls: a notification only pokes a loop that would look by itself a little later.

use sqlx::postgres::PgListener;

use crate::{Store, StoreResult};

/// What is called out after a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// There are new events.
    Events,
    /// There are new outbox rows.
    Outbox,
}

/// Listens on a connection of its own.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// Starts to listen.
    pub async fn connect(store: &Store, call: Call) -> StoreResult<Self> {
        let channel = match call {
            Call::Events => "pointsman_event",
            Call::Outbox => "pointsman_outbox",
        };
        let mut listener = PgListener::connect_with(store.pool()).await?;
        listener.listen(channel).await?;
        Ok(Self(listener))
    }

    /// Waits for a call; several that came together are one. A lost connection counts as a call, then as an error.
    pub async fn heard(&mut self) -> StoreResult<()> {
        if self.0.try_recv().await?.is_some() {
            while self.0.next_buffered().is_some() {}
        }
        Ok(())
    }
}
