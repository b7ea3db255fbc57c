//! What a person decides about a deployment that holds: go on with the next hosts, or go back.

use pointsman_domain::deployment::Facts;
use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_shared::api::deployments::{Decision, DecisionRequest};
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, deployments, targets};

use super::{act, cancel_deployment, known, request_deployment, request_rollback, tell_deployment};
use crate::app::App;
use crate::error::OperationResult;

/// Decides about the deployment with this number.
pub async fn execute(
    app: &App,
    actor: &Actor,
    number: i64,
    request: &DecisionRequest,
) -> OperationResult<()> {
    let object = format!("deployment #{number}");
    let target = act::audited(app, actor, "deployment.decide", &object, async {
        let (row, target) = cancel_deployment::find(app, number).await?;
        actor.authorize_in(&target.name.project, Action::Deploy, &object)?;
        reason::judge("reason", request.reason.as_deref())?;
        let mut tx = app.store.begin().await?;
        targets::lock(&mut tx, target.id).await?;
        let facts = known::facts_under_lock(&mut tx, row.id).await?;
        refuse_unless_open(&facts)?;
        match request.decision {
            Decision::Rollback => {
                request_rollback::decide(app, &mut tx, actor, &target, &facts, request.reason.as_deref())
                    .await?;
            }
            Decision::Continue => {
                go_on(app, &mut tx, actor, &target, &facts, request.reason.as_deref()).await?;
            }
        }
        act::commit(tx).await?;
        Ok(target)
    })
    .await?;
    request_deployment::begin(app, &target).await;
    Ok(())
}

/// Refuses what can only be said of a deployment that has started and is not over.
pub(super) fn refuse_unless_open(facts: &Facts) -> Result<(), Refusal> {
    let number = facts.number;
    if let Some(ended) = &facts.ended {
        let what = format!("deployment #{number} is over: {}", ended.outcome.as_str());
        return Err(Refusal::conflict("deployment_over", what));
    }
    if facts.started_at.is_none() {
        let what = format!("deployment #{number} has not started");
        return Err(Refusal::conflict("not_started", what).hint(format!("pointsman cancel {number}")));
    }
    Ok(())
}

async fn go_on(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    facts: &Facts,
    reason: Option<&str>,
) -> OperationResult<()> {
    let number = facts.number;
    facts.refuse_on_the_way_back()?;
    let message = match (&facts.paused, &facts.pause_wish) {
        (Some(paused), _) => paused.message.clone(),
        (None, Some(wish)) => format!("it does not pause, as {} had wished", wish.by),
        (None, None) => {
            let what = format!("deployment #{number} does not wait for a decision");
            return Err(Refusal::conflict("not_paused", what).into());
        }
    };
    if facts.paused.is_some() && facts.gate_failed() {
        deployments::allow_migration_try(tx, facts.id).await?;
    }
    for (placement, job) in facts.failures_to_accept() {
        deployments::accept_failure(tx, facts.id, placement, job).await?;
    }
    deployments::resume(tx, facts.id).await?;
    deployments::withdraw_pause(tx, facts.id).await?;
    let detail = serde_json::json!({ "target": target.name, "decision": "continue", "accepted": message, "reason": reason });
    act::done(
        app,
        tx,
        actor,
        "deployment.decide",
        &format!("deployment #{number}"),
        detail,
    )
    .await?;
    let message = format!("{} decided to go on: {message}", actor.name);
    tell_deployment::tell(tx, target, facts, "deployment.continued", &message).await
}
