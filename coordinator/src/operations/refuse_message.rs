//! Keeps what was refused (forged, malformed, unknown, or from the wrong place) where people look: the table of refused
//! messages always, the audit trail and the events once a minute per host and reason, so that a flood stays readable.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::AuditId;
use pointsman_store::audit::{Act, ActResult};
use pointsman_store::events::NewEvent;
use pointsman_store::refused_messages::RefusedMessage;
use pointsman_store::{Transaction, events, refused_messages};

use super::act;
use crate::app::App;
use crate::error::OperationResult;
use crate::system;

/// Longest sample and longest reason that are kept, in characters.
const SAMPLE: usize = 300;
/// Longest name of a host that is kept, in characters.
const HOST: usize = 40;

/// A message that is not taken.
#[derive(Debug, Clone)]
pub struct Refused<'a> {
    /// The queue it came from.
    pub queue: &'a str,
    /// Stable code of the reason, such as `forged`.
    pub code: &'static str,
    /// The reason in words.
    pub reason: String,
    /// The host its routing key names; not proven.
    pub claimed_host: Option<&'a str>,
    /// The message as it came.
    pub bytes: &'a [u8],
}

/// Keeps a refused message.
pub async fn execute(app: &App, refused: &Refused<'_>) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    // Routing key, payload type and key id are a stranger's words: a NUL in them would be refused by the database, too.
    let sample = printable(&String::from_utf8_lossy(refused.bytes), SAMPLE);
    let reason = printable(&refused.reason, SAMPLE);
    let claimed_host = refused.claimed_host.map(|host| printable(host, HOST));
    let row = RefusedMessage {
        queue: refused.queue,
        reason: refused.code,
        claimed_host: claimed_host.as_deref(),
        bytes: refused.bytes.len(),
        sample: &sample,
    };
    if refused_messages::append(&mut tx, &row, now).await? {
        let host = claimed_host.as_deref().unwrap_or("unknown");
        let message = format!("a message on {} as {host} was refused: {reason}", refused.queue);
        audit(app, &mut tx, host, "message.take", &message, now).await?;
    }
    act::commit(tx).await?;
    app.metrics.process.refused();
    app.bells.events.notify_one();
    Ok(())
}

fn printable(text: &str, longest: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(longest).collect()
}

/// Puts a refusal into the audit trail and the events.
pub async fn audit(
    app: &App,
    tx: &mut Transaction,
    host: &str,
    action: &str,
    message: &str,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let actor = system::actor(app, tx).await?;
    let act = Act {
        id: AuditId(app.ids.next()),
        at: now,
        actor: &actor,
        action,
        object: host,
        result: ActResult::Refused,
        detail: serde_json::json!({ "reason": message }),
    };
    pointsman_store::audit::append(tx, &act).await?;
    let event = NewEvent {
        kind: "message.refused",
        host: Some(host),
        message: message.to_owned(),
        ..NewEvent::default()
    };
    events::append(tx, now, &event).await?;
    Ok(())
}
