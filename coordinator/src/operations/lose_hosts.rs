//! Tells that hosts are not heard any more, once for each silence.
//!
//! Only who reads reports knows what silence means; the reconciler asks for it when silence counts (see `sweep`).

use pointsman_store::events::NewEvent;
use pointsman_store::{events, hosts};

use super::act;
use crate::app::App;
use crate::error::OperationResult;

/// Tells of those that fell silent.
pub async fn execute(app: &App) -> OperationResult<()> {
    let timing = &app.config.timing;
    // A host that works beats faster, and is called absent sooner; people are told when an idle one would be.
    let silent_ms = timing.idle_beat_ms.max(timing.beat_ms) * u64::from(timing.unseen_beats);
    let mut tx = app.store.begin().await?;
    let lost = hosts::lose(&mut tx, silent_ms).await?;
    let now = pointsman_store::now(&mut tx).await?;
    for (host, last) in &lost {
        let event = NewEvent {
            kind: "host.lost",
            host: Some(host.as_str()),
            message: format!("{host} is not heard since {}", last.format("%F %T UTC")),
            ..NewEvent::default()
        };
        events::append(&mut tx, now, &event).await?;
    }
    act::commit(tx).await?;
    if !lost.is_empty() {
        app.bells.events.notify_one();
    }
    Ok(())
}
