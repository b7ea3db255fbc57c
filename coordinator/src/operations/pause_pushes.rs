//! Holds a target's pushes back, and lets them go on. A rollback does the first by itself: nobody wants the next push to
//! bring back what was just taken away. What is held back is told in the list of pushes; people deploy as before.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::pushes::{CommitRange, NewPushPause, PushPause};
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::TargetName;
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, Transaction, push_pauses, releases};

use super::set_lock::tell;
use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// Longest reason, in characters.
const REASON: usize = 500;

/// Holds every push back.
pub async fn pause(app: &App, actor: &Actor, name: &TargetName, wish: &NewPushPause) -> OperationResult<()> {
    let object = name.to_string();
    act::audited(app, actor, "push.pause", &object, async {
        actor.authorize(Action::Deploy, &object)?;
        let length = wish.reason.trim().chars().count();
        if length == 0 || length > REASON {
            let what = format!("a pause needs a reason of at most {REASON} characters");
            return Err(Refusal::invalid("invalid_reason", what).into());
        }
        let mut tx = app.store.begin().await?;
        let target = known::target(&mut tx, name).await?;
        let pause = PushPause {
            reason: wish.reason.clone(),
            by: actor.name.clone(),
            since: pointsman_store::now(&mut tx).await?,
            range: None,
        };
        if !push_pauses::insert(&mut tx, app.ids.next(), target.id, &pause).await? {
            let what = format!("pushes to {name} are paused already");
            return Err(Refusal::conflict("pushes_paused", what)
                .hint(format!("pointsman push resume {name}"))
                .into());
        }
        let detail = serde_json::json!({ "reason": wish.reason });
        act::done(app, &mut tx, actor, "push.pause", &object, detail).await?;
        let message = format!("pushes to {name} are paused by {}: {}", actor.name, wish.reason);
        tell(&mut tx, Some(name), "push.paused", message).await?;
        act::commit(tx).await
    })
    .await?;
    app.bells.events.notify_one();
    Ok(())
}

/// Lets pushes go on, whatever held them back.
pub async fn resume(app: &App, actor: &Actor, name: &TargetName) -> OperationResult<()> {
    let object = name.to_string();
    act::audited(app, actor, "push.resume", &object, async {
        actor.authorize(Action::Deploy, &object)?;
        let mut tx = app.store.begin().await?;
        let target = known::target(&mut tx, name).await?;
        let now = pointsman_store::now(&mut tx).await?;
        let lifted = push_pauses::lift_all(&mut tx, target.id, &actor.name, now).await?;
        if lifted == 0 {
            return Err(
                Refusal::conflict("pushes_not_paused", format!("pushes to {name} are not paused")).into(),
            );
        }
        let detail = serde_json::json!({ "pauses": lifted });
        act::done(app, &mut tx, actor, "push.resume", &object, detail).await?;
        let message = format!("pushes to {name} go on, says {}", actor.name);
        tell(&mut tx, Some(name), "push.resumed", message).await?;
        act::commit(tx).await
    })
    .await?;
    app.bells.events.notify_one();
    Ok(())
}

/// A target goes back to `good`: pushes that carry what it leaves are held back from now on.
pub(super) async fn after_rollback(
    app: &App,
    tx: &mut Transaction,
    target: &TargetRow,
    good: ReleaseId,
    by: &str,
) -> OperationResult<()> {
    if target.on_push.is_empty() {
        return Ok(());
    }
    let Some(left) = push_pauses::newest_started(tx, target.id).await? else {
        return Ok(());
    };
    let good = releases::get(tx, good).await?.ok_or_else(|| {
        StoreError::inconsistent("release", good, "a target goes back to it, and it does not exist")
    })?;
    if left.commit == good.commit {
        return Ok(());
    }
    let range = CommitRange {
        good: good.commit,
        bad: left.commit,
    };
    let pause = PushPause {
        reason: format!("#{} was rolled back to {}", left.deployment, good.label),
        by: by.to_owned(),
        since: pointsman_store::now(tx).await?,
        range: Some(range.clone()),
    };
    if push_pauses::insert(tx, app.ids.next(), target.id, &pause).await? {
        let message = format!(
            "pushes to {} that carry commits of {}..{} are paused: {}",
            target.name,
            range.good.short(),
            range.bad.short(),
            pause.reason
        );
        tell(tx, Some(&target.name), "push.paused", message).await?;
    }
    Ok(())
}
