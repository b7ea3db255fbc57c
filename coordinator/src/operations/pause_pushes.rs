//! Holds a target's pushes back, and lets them go on. A rollback does the first by itself: nobody wants the next push to
//! bring back what was just taken away. What is held back is told in the list of pushes; people deploy as before.

use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_shared::api::pushes::{CommitRange, NewPushPause, PushPause};
use pointsman_shared::ids::{DeploymentId, ReleaseId};
use pointsman_shared::name::TargetName;
use pointsman_store::releases::ReleaseRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, Transaction, deployments, push_pauses, pushes, releases, targets};

use super::set_lock::tell;
use super::{act, cancel_deployment, keep_webhook, known};
use crate::app::App;
use crate::error::OperationResult;

/// Holds every push back.
pub async fn pause(app: &App, actor: &Actor, name: &TargetName, wish: &NewPushPause) -> OperationResult<()> {
    let object = name.to_string();
    act::audited(app, actor, "push.pause", &object, async {
        actor.authorize_in(&name.project, Action::Deploy, &object)?;
        reason::judge_needed("pause", &wish.reason)?;
        let mut tx = app.store.begin().await?;
        let target = known::target(&mut tx, name).await?;
        let pause = PushPause {
            reason: wish.reason.clone(),
            by: actor.name.clone(),
            since: pointsman_store::now(&mut tx).await?,
            range: None,
        };
        if !push_pauses::insert(&mut tx, app.ids.next(), target.id, None, &pause).await? {
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
        actor.authorize_in(&name.project, Action::Deploy, &object)?;
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

/// What a target leaves by a rollback, and where it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// What it leaves.
    pub(super) from: Option<ReleaseId>,
    /// What it goes back to.
    pub(super) to: ReleaseId,
    /// The rollback, where it is a deployment of its own.
    pub(super) rollback: Option<DeploymentId>,
}

/// A target goes back: pushes that carry what it leaves are held back from now on, and what waits here for a push is
/// judged anew.
pub(super) async fn after_rollback(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    way: Way,
) -> OperationResult<()> {
    if target.on_push.is_empty() {
        return Ok(());
    }
    let good = release(tx, way.to).await?;
    if let Some(bad) = left(tx, target, way, &good).await? {
        let range = CommitRange {
            good: good.commit,
            bad: bad.commit,
        };
        let pause = PushPause {
            reason: format!("{} was rolled back to {}", bad.label, good.label),
            by: actor.name.clone(),
            since: pointsman_store::now(tx).await?,
            range: Some(range.clone()),
        };
        if push_pauses::insert(tx, app.ids.next(), target.id, way.rollback, &pause).await? {
            let message = format!(
                "pushes to {} that carry commits of {}..{} are paused: {}",
                target.name,
                range.good.short(),
                range.bad.short(),
                pause.reason
            );
            tell(tx, Some(&target.name), "push.paused", message).await?;
        }
    }
    judge_waiting_anew(app, tx, actor, target, way.rollback).await
}

/// The release that a rollback leaves, of another commit than the one it goes to: what was named, else what should be
/// live. Hosts may stand on what never came to be that.
async fn left(
    tx: &mut Transaction,
    target: &TargetRow,
    way: Way,
    good: &ReleaseRow,
) -> OperationResult<Option<ReleaseRow>> {
    let desired = targets::get(tx, target.id)
        .await?
        .and_then(|target| target.desired);
    let newest = push_pauses::newest_started(tx, target.id).await?;
    let newest = newest.map(|newest| newest.release);
    for id in [way.from, desired, newest].into_iter().flatten() {
        let left = release(tx, id).await?;
        if left.commit != good.commit {
            return Ok(Some(left));
        }
    }
    Ok(None)
}

async fn release(tx: &mut Transaction, id: ReleaseId) -> OperationResult<ReleaseRow> {
    let row = releases::get(tx, id).await?;
    Ok(row.ok_or_else(|| {
        StoreError::inconsistent("release", id, "a rollback names it, and it does not exist")
    })?)
}

/// A push that waits behind what is rolled back would bring it back as soon as that is over.
async fn judge_waiting_anew(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    rollback: Option<DeploymentId>,
) -> OperationResult<()> {
    for open in deployments::open_of_target(tx, target.id).await? {
        let waits_for_push = !open.started && keep_webhook::is_principal(&open.requested_by);
        if !waits_for_push || Some(open.id) == rollback {
            continue;
        }
        let facts = known::facts_under_lock(tx, open.id).await?;
        if facts.cancel.is_none() {
            let why = "the target goes back; the push is judged anew".to_owned();
            cancel_deployment::store(app, tx, actor, target, &facts, Some(why)).await?;
        }
        let now = pointsman_store::now(tx).await?;
        pushes::repeat_of(tx, open.number, now).await?;
    }
    Ok(())
}
