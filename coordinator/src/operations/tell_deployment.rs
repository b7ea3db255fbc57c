//! Events about a deployment, with everything that readers filter by.

use pointsman_domain::deployment::Facts;
use pointsman_store::events::NewEvent;
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, events};

use crate::error::OperationResult;

/// Appends an event: `shop@production #812: <message>`.
pub async fn tell(
    tx: &mut Transaction,
    target: &TargetRow,
    facts: &Facts,
    kind: &str,
    message: &str,
) -> OperationResult<()> {
    tell_number(tx, target, facts.number, kind, message).await
}

/// The same, by the deployment's number.
pub async fn tell_number(
    tx: &mut Transaction,
    target: &TargetRow,
    number: i64,
    kind: &str,
    message: &str,
) -> OperationResult<()> {
    let name = target.name.to_string();
    let now = pointsman_store::now(tx).await?;
    let event = NewEvent {
        kind,
        project: Some(target.name.project.as_str()),
        target: Some(&name),
        deployment: Some(number),
        message: format!("{name} #{number}: {message}"),
        ..NewEvent::default()
    };
    Ok(events::append(tx, now, &event).await?)
}
