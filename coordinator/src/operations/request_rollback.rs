//! Asks to have an older good release back. With an open deployment it is a decision within that one; else it is a
//! deployment of its own, to every host at once.

use pointsman_domain::deployment::{DeploymentKind, Facts, PauseReason, RollbackDecision};
use pointsman_domain::rollback::{GoodRelease, previous_good};
use pointsman_domain::timing::Timing;
use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_shared::api::deployments::NewRollback;
use pointsman_shared::api::projects::Strategy;
use pointsman_shared::ids::{DeploymentId, ReleaseId};
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, deployments, good_releases, placements, targets};

use super::pause_pushes::Way;
use super::{
    act, find_release, judge_rollback, judge_target, known, pause_pushes, request_deployment, tell_deployment,
};
use crate::app::App;
use crate::error::OperationResult;

/// Asks for a rollback; returns the number of the deployment that carries it out.
pub async fn execute(app: &App, actor: &Actor, wish: &NewRollback) -> OperationResult<i64> {
    let object = wish.target.to_string();
    let (number, target) = act::audited(app, actor, "rollback.request", &object, async {
        actor.authorize_in(&wish.target.project, Action::Deploy, &object)?;
        reason::judge("reason", wish.reason.as_deref())?;
        let (target, project) = request_deployment::target_of(app, &wish.target).await?;
        let asked = match &wish.release {
            Some(spec) => Some(find_release::known(app, &project, spec).await?),
            None => None,
        };
        let mut tx = app.store.begin().await?;
        let number = request(app, &mut tx, actor, &target, asked, wish.reason.as_deref()).await?;
        act::commit(tx).await?;
        Ok((number, target))
    })
    .await?;
    request_deployment::begin(app, &target).await;
    Ok(number)
}

async fn request(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    asked: Option<ReleaseId>,
    reason: Option<&str>,
) -> OperationResult<i64> {
    targets::lock(tx, target.id).await?;
    if let Some(open) = deployments::open_of_target(tx, target.id)
        .await?
        .into_iter()
        .find(|open| open.started)
    {
        let facts = known::facts_under_lock(tx, open.id).await?;
        let is_same = facts.kind == DeploymentKind::Rollback && asked == Some(facts.release.id);
        if is_same && facts.cancel.is_none() {
            // A second press lands on the first.
            return Ok(open.number);
        }
        if decides(&facts, asked)? {
            decide(app, tx, actor, target, &facts, reason).await?;
            return Ok(open.number);
        }
    }
    judge_target::refuse_when_locked(tx, target, DeploymentKind::Rollback).await?;
    judge_target::refuse_without_hosts(app, tx, target).await?;
    let release = destination(tx, target, asked).await?;
    let row = judge_rollback::execute(app, tx, target, release).await?;
    let strategy = Strategy {
        waves: vec!["100%".to_owned()],
        ..target.strategy.clone()
    };
    let new = deployments::NewDeployment {
        id: DeploymentId(app.ids.next()),
        target: target.id,
        release,
        kind: DeploymentKind::Rollback,
        by: actor.principal,
        at: pointsman_store::now(tx).await?,
        reason,
        strategy: &strategy,
        timing: Timing::default(),
        plan: None,
        trace: actor.trace.as_ref(),
    };
    let number = request_deployment::insert(app, tx, actor, target, &new, row.label.as_str()).await?;
    let way = Way {
        from: None,
        to: release,
        rollback: Some(new.id),
    };
    pause_pushes::after_rollback(app, tx, actor, target, way).await?;
    Ok(number)
}

/// Whether a rollback wish is a decision within the open deployment; false = it is a wish of its own, behind it.
fn decides(facts: &Facts, asked: Option<ReleaseId>) -> Result<bool, Refusal> {
    let elsewhere = asked.is_some() && asked != facts.from.as_ref().map(|from| from.id);
    // A newer wish ends one that holds, but not one that a person paused to go on later.
    let makes_way = facts
        .paused
        .as_ref()
        .is_some_and(|paused| paused.why != PauseReason::Asked);
    match (facts.kind, elsewhere, makes_way) {
        (DeploymentKind::Rollback, _, _) | (DeploymentKind::Deploy, true, true) => Ok(false),
        (DeploymentKind::Deploy, true, false) => {
            let from = facts
                .from
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), |from| from.label.to_string());
            let what = format!(
                "deployment #{} is open and goes back to {from}, to no other release",
                facts.number
            );
            Err(Refusal::conflict("deployment_open", what)
                .hint(format!("pointsman cancel {}, then roll back", facts.number)))
        }
        (DeploymentKind::Deploy, false, _) => Ok(true),
    }
}

/// Stores the decision that an open, locked deployment rolls back.
pub(super) async fn decide(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    facts: &Facts,
    reason: Option<&str>,
) -> OperationResult<()> {
    let now = pointsman_store::now(tx).await?;
    let reason = reason.map_or_else(|| format!("rolled back by {}", actor.name), str::to_owned);
    let decision = if let Some(earlier) = &facts.rollback {
        // A person wants another try where the first one failed.
        facts.judge_another_try(earlier)?
    } else {
        let to = facts.judge_way_back()?;
        judge_rollback::execute(app, tx, target, to.id).await?;
        RollbackDecision {
            to,
            at: now,
            by: Some(actor.name.clone()),
            reason,
            tries: 1,
        }
    };
    deployments::decide_rollback(tx, facts.id, &decision).await?;
    let way = Way {
        from: Some(facts.release.id),
        to: decision.to.id,
        rollback: None,
    };
    pause_pushes::after_rollback(app, tx, actor, target, way).await?;
    deployments::resume(tx, facts.id).await?;
    let detail = serde_json::json!({
        "deployment": facts.number, "release": decision.to.label, "reason": decision.reason, "try": decision.tries,
    });
    act::done(
        app,
        tx,
        actor,
        "rollback.request",
        &target.name.to_string(),
        detail,
    )
    .await?;
    let message = format!("{} decided to roll back to {}", actor.name, decision.to.label);
    tell_deployment::tell(tx, target, facts, "deployment.rolling_back", &message).await
}

/// Where a rollback goes. Where hosts stay on a release that never became the target's, that is the target's own good
/// release; else the one that was good before.
pub(super) async fn destination(
    tx: &mut Transaction,
    target: &TargetRow,
    asked: Option<ReleaseId>,
) -> OperationResult<ReleaseId> {
    let desired = targets::get(tx, target.id)
        .await?
        .and_then(|target| target.desired);
    let good = good_releases::of_target(tx, target.id).await?;
    if let Some(asked) = asked {
        refuse_newer(target, desired, asked, &good)?;
        return Ok(asked);
    }
    let strayed = placements::of_target(tx, target.id)
        .await?
        .iter()
        .any(|placement| placement.confirmed.is_some() && placement.confirmed != desired);
    let to = match desired {
        Some(desired) if strayed && good.iter().any(|good| good.id == desired) => Some(desired),
        desired => previous_good(desired, &good).map(|good| good.id),
    };
    to.ok_or_else(|| {
        Refusal::conflict(
            "no_previous_good",
            format!("{} has no older good release to go back to", target.name),
        )
        .into()
    })
}

/// A way back leads to what was live before; anything else is a deployment, with all that one is asked.
fn refuse_newer(
    target: &TargetRow,
    desired: Option<ReleaseId>,
    asked: ReleaseId,
    good: &[GoodRelease],
) -> Result<(), Refusal> {
    let of = |id: ReleaseId| good.iter().find(|good| good.id == id);
    let (Some(live), Some(asked)) = (desired.and_then(of), of(asked)) else {
        return Ok(());
    };
    if asked.first_live_at <= live.first_live_at {
        return Ok(());
    }
    let what = format!(
        "{} was first live on {} after {}, which is live there now: going to it is a deployment, not a rollback",
        asked.label, target.name, live.label
    );
    Err(Refusal::conflict("not_older", what)
        .hint(format!("pointsman deploy {} {}", target.name, asked.label)))
}
