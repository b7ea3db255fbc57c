//! Cancels a deployment in whatever state it is: its jobs are stopped, and when the last is over, so is it. What has
//! switched by then stays as it is; going back is another wish.

use pointsman_domain::deployment::{CancelDecision, Facts};
use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_store::deployments::DeploymentRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, Transaction, deployments, targets};

use super::{act, known, request_deployment, tell_deployment};
use crate::app::App;
use crate::error::OperationResult;

/// Cancels the deployment with this number; asking again changes nothing.
pub async fn execute(app: &App, actor: &Actor, number: i64, reason: Option<String>) -> OperationResult<()> {
    let object = format!("deployment #{number}");
    let target = act::audited(app, actor, "deployment.cancel", &object, async {
        let (row, target) = find(app, number).await?;
        actor.authorize_in(&target.name.project, Action::Deploy, &object)?;
        reason::judge("reason", reason.as_deref())?;
        let mut tx = app.store.begin().await?;
        targets::lock(&mut tx, target.id).await?;
        let facts = known::facts_under_lock(&mut tx, row.id).await?;
        if let Some(ended) = &facts.ended {
            let what = format!("deployment #{number} is over: {}", ended.outcome.as_str());
            return Err(Refusal::conflict("deployment_over", what).into());
        }
        if facts.cancel.is_none() {
            store(app, &mut tx, actor, &target, &facts, reason).await?;
        }
        act::commit(tx).await?;
        Ok(target)
    })
    .await?;
    request_deployment::begin(app, &target).await;
    Ok(())
}

/// Stores the decision to cancel an open, locked deployment.
pub(super) async fn store(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    facts: &Facts,
    reason: Option<String>,
) -> OperationResult<()> {
    let cancel = CancelDecision {
        by: actor.name.clone(),
        at: pointsman_store::now(tx).await?,
        reason,
    };
    deployments::cancel(tx, facts.id, &cancel).await?;
    let detail = serde_json::json!({ "target": target.name, "reason": cancel.reason });
    let object = format!("deployment #{}", facts.number);
    act::done(app, tx, actor, "deployment.cancel", &object, detail).await?;
    let message = format!("{} cancels it", actor.name);
    tell_deployment::tell(tx, target, facts, "deployment.cancelling", &message).await
}

/// The deployment with this number and its target.
pub(super) async fn find(app: &App, number: i64) -> OperationResult<(DeploymentRow, TargetRow)> {
    let mut conn = app.store.read().await?;
    let row = deployments::find(&mut conn, number).await?.ok_or_else(|| {
        Refusal::not_found("unknown_deployment", format!("there is no deployment #{number}"))
            .hint("pointsman status")
    })?;
    let target = targets::get(&mut conn, row.target)
        .await?
        .ok_or_else(|| StoreError::inconsistent("deployment", row.id, "its target does not exist"))?;
    Ok((row, target))
}
