//! Locks a target against new wishes, or stops everything: no new wish and no grant but what belongs to a rollback.
//!
//! What is open goes on; a lock is no cancel.

use chrono::TimeDelta;
use pointsman_domain::{Action, Actor, Refusal, RefusalKind, reason};
use pointsman_shared::api::locks::NewLock;
use pointsman_shared::name::TargetName;
use pointsman_store::events::NewEvent;
use pointsman_store::{Transaction, events, locks};

use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// Sets a lock; without a target it is the global stop. One's own lock is set anew, another's is refused by name.
pub async fn execute(
    app: &App,
    actor: &Actor,
    target: Option<&TargetName>,
    wish: &NewLock,
) -> OperationResult<()> {
    let object = target.map_or_else(|| "everything".to_owned(), ToString::to_string);
    let action = if target.is_some() {
        "target.lock"
    } else {
        "stop.set"
    };
    act::audited(app, actor, action, &object, async {
        known::authorize(
            actor,
            target.map(|target| &target.project),
            Action::Deploy,
            &object,
        )?;
        check(wish)?;
        let mut tx = app.store.begin().await?;
        let id = match target {
            Some(name) => Some(known::target(&mut tx, name).await?.id),
            None => None,
        };
        let now = pointsman_store::now(&mut tx).await?;
        if let Some(held) = locks::held(&mut tx, id, now).await?
            && held.owner != actor.principal
        {
            let what = format!("{object} is locked by {}: {}", held.owner_name, held.reason);
            return Err(Refusal::new(RefusalKind::Locked, "locked", what)
                .hint("ask who locked it")
                .into());
        }
        locks::release(&mut tx, id, actor.principal, now).await?;
        let expires_at = wish
            .expires_in_s
            .map(|seconds| now + TimeDelta::seconds(seconds.into()));
        let new = locks::NewLock {
            id: app.ids.next(),
            target: id,
            reason: &wish.reason,
            owner: actor.principal,
            at: now,
            expires_at,
        };
        locks::insert(&mut tx, &new).await?;
        let detail = serde_json::json!({ "reason": wish.reason, "expires_at": expires_at });
        act::done(app, &mut tx, actor, action, &object, detail).await?;
        let message = match target {
            Some(name) => format!("{name} is locked by {}: {}", actor.name, wish.reason),
            None => format!("everything is stopped by {}: {}", actor.name, wish.reason),
        };
        tell(&mut tx, target, action, message).await?;
        act::commit(tx).await
    })
    .await?;
    app.bells.ring();
    Ok(())
}

fn check(wish: &NewLock) -> Result<(), Refusal> {
    reason::judge_needed("lock", &wish.reason)?;
    if wish.expires_in_s == Some(0) {
        return Err(Refusal::invalid("invalid_expiry", "it would end at once").hint("leave the expiry out"));
    }
    Ok(())
}

/// Tells everybody who watches.
pub(super) async fn tell(
    tx: &mut Transaction,
    target: Option<&TargetName>,
    kind: &str,
    message: String,
) -> OperationResult<()> {
    let now = pointsman_store::now(tx).await?;
    let name = target.map(ToString::to_string);
    let event = NewEvent {
        kind,
        project: target.map(|target| target.project.as_str()),
        target: name.as_deref(),
        message,
        ..NewEvent::default()
    };
    Ok(events::append(tx, now, &event).await?)
}
