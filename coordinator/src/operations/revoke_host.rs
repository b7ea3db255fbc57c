//! Takes a host's key and broker user away: its agent is shut out at once, until it joins again by a new invitation.
//! Invitations that nobody used yet are withdrawn with it: whoever has one of them is not to be trusted any more.

use pointsman_domain::{Action, Actor, Refusal, RefusalKind};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::PublicKey;
use pointsman_store::events::NewEvent;
use pointsman_store::{enrolments, events, hosts, join_tokens};

use super::act;
use crate::app::App;
use crate::broker::enrolment;
use crate::error::OperationResult;

/// Revokes a host or an invitation; revoking it twice is no error, and repeats what the broker did not do the first time.
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
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    // Tokens before hosts, in the order in which a join locks them.
    let withdrawn = join_tokens::withdraw(&mut tx, host, now).await?;
    let row = hosts::lock(&mut tx, host).await?;
    if row.is_none() && withdrawn == 0 {
        let unknown = Refusal::not_found("unknown_host", format!("there is no host {host}"));
        return Err(unknown.hint("pointsman hosts").into());
    }
    let has_joined = row.is_some();
    let key = row.and_then(|row| row.key);
    if key.is_some() || withdrawn > 0 {
        let detail = serde_json::json!({
            "key": key.as_ref().map(PublicKey::id), "invitations": withdrawn,
        });
        act::done(app, &mut tx, actor, "host.revoke", object, detail).await?;
    }
    if key.is_some() {
        enrolments::revoke(&mut tx, host, now).await?;
        let event = NewEvent {
            kind: "host.revoked",
            host: Some(host.as_str()),
            message: format!("{host} was revoked by {}", actor.name),
            ..NewEvent::default()
        };
        events::append(&mut tx, now, &event).await?;
    }
    act::commit(tx).await?;
    app.bells.reconcile.notify_one();
    app.bells.events.notify_one();
    if !has_joined {
        return Ok(());
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
