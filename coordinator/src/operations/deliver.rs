//! Sends what is due, each delivery once for each claim, and decides what becomes of it: delivered, tried again after a
//! pause, or given up. A receiver that says it is gone is sent nothing any more.
//!
//! No transaction is open while anything is sent. A crash in between sends a message twice at most, with the same id.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_domain::notify::wait;
use pointsman_shared::ids::ChannelId;
use pointsman_store::channels::ChannelRow;
use pointsman_store::deliveries::{self, Due, Finish, Tried};
use pointsman_store::{Transaction, channels};
use tokio::time::Instant;

use super::act;
use crate::app::App;
use crate::error::OperationResult;
use crate::notify::{self, Sent, Verdict};
use crate::system;

/// Channels that are claimed at once.
const BATCH: i64 = 32;
/// How long a claim holds: longer than any receiver is waited for.
const CLAIM_S: f64 = 120.0;
/// Characters that are kept of an answer, and of an error.
const ANSWER: usize = 2_000;

/// Claims the next delivery of each channel that is not `busy`.
pub async fn claim(app: &App, busy: &[ChannelId]) -> OperationResult<Vec<Due>> {
    let busy: Vec<_> = busy.iter().map(|channel| channel.0).collect();
    let mut tx = app.store.begin().await?;
    deliveries::supersede(&mut tx).await?;
    let due = deliveries::claim(&mut tx, BATCH, CLAIM_S, &busy).await?;
    act::commit(tx).await?;
    Ok(due)
}

/// Sends a claimed delivery.
pub async fn execute(app: &App, due: &Due) -> OperationResult<()> {
    let channel = channels::get(&mut *app.store.read().await?, due.channel).await?;
    let Some(channel) = channel else {
        return Ok(());
    };
    let (at, begun) = (app.clock.now(), Instant::now());
    let sent = notify::send(app, &channel, due).await?;
    let took = begun.elapsed();
    app.metrics
        .process
        .notified(channel.place.kind(), sent.verdict == Verdict::Taken);
    conclude(app, &channel, due, &sent, at, took).await
}

async fn conclude(
    app: &App,
    channel: &ChannelRow,
    due: &Due,
    sent: &Sent,
    at: DateTime<Utc>,
    took: Duration,
) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    // The channel before its deliveries, as whoever disables or removes it has them.
    if !channels::lock_id(&mut tx, channel.id).await? {
        return Ok(());
    }
    let now = pointsman_store::now(&mut tx).await?;
    let (error, finish) = match &sent.verdict {
        Verdict::Taken => (None, Finish::Delivered),
        Verdict::Gone => (
            Some("the receiver answered 410: it is gone".to_owned()),
            Finish::Failed,
        ),
        Verdict::Refused { why, after } => {
            let pause = wait(due.tries, luck(app), *after);
            let next = pause.map(|pause| now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1)));
            (Some(cut(why)), next.map_or(Finish::Failed, Finish::Again))
        }
    };
    let answer = sent.answer.as_deref().map(cut);
    let tried = Tried {
        at,
        took_ms: i32::try_from(took.as_millis()).unwrap_or(i32::MAX),
        status: sent.status,
        request: &sent.request,
        answer: answer.as_deref(),
        error: error.as_deref(),
    };
    deliveries::finish(&mut tx, due, &tried, finish, now).await?;
    if let Some(handle) = &sent.handle {
        deliveries::put_message(&mut tx, due.id, handle).await?;
    }
    channels::note_try(&mut tx, channel.id, error.as_deref(), now).await?;
    if sent.verdict == Verdict::Gone {
        retire(app, &mut tx, channel, now).await?;
    }
    act::commit(tx).await?;
    if let Some(error) = error {
        let (channel, delivery) = (&channel.name, due.number);
        tracing::warn!(%channel, delivery, tries = due.tries, error, "a notification was not delivered");
    }
    Ok(())
}

/// Sends nothing any more to a receiver that is gone.
async fn retire(
    app: &App,
    tx: &mut Transaction,
    channel: &ChannelRow,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let why = "its receiver answered 410: it is gone";
    if channels::disable(tx, channel.id, why, now).await? {
        deliveries::give_up(tx, channel.id, now).await?;
        let actor = system::actor(app, tx).await?;
        let object = format!("channel {}", channel.name);
        let detail = serde_json::json!({ "why": why });
        act::done(app, tx, &actor, "channel.disable", &object, detail).await?;
    }
    Ok(())
}

/// From 0 to 1.
fn luck(app: &App) -> f64 {
    let [.., last] = *app.ids.next().as_bytes();
    f64::from(last) / 255.0
}

fn cut(text: &str) -> String {
    text.chars().take(ANSWER).collect()
}
