//! Takes a host's key and broker user away: its agent is shut out at once, until it joins again.

use pointsman_domain::{Action, Actor, Refusal, RefusalKind};
use pointsman_shared::name::HostId;
use pointsman_store::events::NewEvent;
use pointsman_store::{enrolments, events, hosts};

use super::act;
use crate::app::App;
use crate::broker::enrolment;
use crate::error::OperationResult;

/// Revokes a host; revoking it twice is no error, and repeats what the broker did not do the first time.
pub async fn execute(app: &App, actor: &Actor, host: &HostId) -> OperationResult<()> {
    let object = format!("host {host}");
    act::audited(
        app,
        actor,
        "host.revoke",
        &object,
        revoke(app, actor, host, &object),
    )
    .await
}

async fn revoke(app: &App, actor: &Actor, host: &HostId, object: &str) -> OperationResult<()> {
    actor.authorize(Action::ManageHosts, object)?;
    let mut tx = app.store.begin().await?;
    let row = hosts::lock(&mut tx, host).await?.ok_or_else(|| {
        Refusal::not_found("unknown_host", format!("there is no host {host}")).hint("pointsman hosts")
    })?;
    if let Some(key) = row.key {
        enrolments::revoke(&mut tx, host, app.clock.now()).await?;
        let detail = serde_json::json!({ "key": key.id() });
        act::done(app, &mut tx, actor, "host.revoke", object, detail).await?;
        let event = NewEvent {
            kind: "host.revoked",
            host: Some(host.as_str()),
            message: format!("{host} was revoked by {}", actor.name),
            ..NewEvent::default()
        };
        events::append(&mut tx, app.clock.now(), &event).await?;
        act::commit(tx).await?;
        app.bells.reconcile.notify_one();
        app.bells.events.notify_one();
    }
    match enrolment::withdraw(app, host).await {
        Ok(None) => Ok(()),
        Ok(Some(line)) => {
            // The key is revoked; the broker's user can read nothing new that it could act on.
            tracing::warn!(%host, "its broker user stays until an administrator runs: {line}");
            Ok(())
        }
        Err(error) => {
            let what =
                format!("the key of {host} is revoked, but its broker user is not deleted yet: {error}");
            Err(Refusal::new(RefusalKind::Unavailable, "broker_unavailable", what)
                .hint(format!("repeat it: pointsman hosts revoke {host}"))
                .into())
        }
    }
}
