//! Writes a deployment's outcome, once, with everything that hangs on it: what should be live, which release is good,
//! which hosts stay elsewhere. No job of the deployment is open afterwards.

use pointsman_domain::deployment::{DeploymentKind, DeploymentOutcome, Facts};
use pointsman_domain::job::Purpose;
use pointsman_shared::ids::{DeploymentId, ReleaseId};
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, deployments, good_releases, jobs, placements, push_pauses, targets};

use super::{cancel_job, supersede_job, tell_deployment};
use crate::app::App;
use crate::error::OperationResult;

/// Ends the locked deployment.
pub async fn end(
    app: &App,
    tx: &mut Transaction,
    target: &TargetRow,
    facts: &Facts,
    outcome: DeploymentOutcome,
    detail: &str,
) -> OperationResult<()> {
    let now = pointsman_store::now(tx).await?;
    for job in jobs::open_of_deployment(tx, facts.id).await? {
        if job.purpose != Purpose::Release {
            supersede_job::when_idle(app, tx, job.id, "its deployment is over").await?;
        }
    }
    if !deployments::end(tx, facts.id, outcome, detail, now).await? {
        return Ok(());
    }
    match (outcome, &facts.rollback) {
        (DeploymentOutcome::Live, _) => {
            settle(tx, target, facts.release.id).await?;
            mark_failures(tx, facts).await?;
            if let (DeploymentKind::Rollback, Some(from)) = (facts.kind, &facts.from) {
                leave(tx, target, from.id, facts.release.id).await?;
            }
        }
        (DeploymentOutcome::RolledBack, Some(rollback)) => {
            settle(tx, target, rollback.to.id).await?;
            leave(tx, target, facts.release.id, rollback.to.id).await?;
        }
        (
            DeploymentOutcome::RolledBack
            | DeploymentOutcome::Failed
            | DeploymentOutcome::Cancelled
            | DeploymentOutcome::Superseded
            | DeploymentOutcome::Abandoned,
            _,
        ) => {
            mark_stragglers(tx, target, facts, outcome).await?;
            push_pauses::lift_of(tx, facts.id, now).await?;
        }
    }
    if outcome != DeploymentOutcome::Live {
        let by = facts
            .cancel
            .as_ref()
            .map_or("coordinator", |cancel| cancel.by.as_str());
        stop_build(app, tx, facts.id, facts.release.id, by, detail).await?;
    }
    let kind = format!("deployment.{}", outcome.as_str());
    tell_deployment::tell(tx, target, facts, &kind, detail).await
}

/// This release should be live from now on, and was live and healthy.
async fn settle(tx: &mut Transaction, target: &TargetRow, release: ReleaseId) -> OperationResult<()> {
    let now = pointsman_store::now(tx).await?;
    targets::set_desired(tx, target.id, release, now).await?;
    placements::set_desired(tx, target.id, release).await?;
    Ok(good_releases::note_live(tx, target.id, release, now).await?)
}

/// A rollback left this release for another.
async fn leave(
    tx: &mut Transaction,
    target: &TargetRow,
    left: ReleaseId,
    to: ReleaseId,
) -> OperationResult<()> {
    if left != to {
        let now = pointsman_store::now(tx).await?;
        good_releases::note_left(tx, target.id, left, now).await?;
    }
    Ok(())
}

/// Hosts that failed within what was allowed: what should be live is not there, and is not tried again by itself.
async fn mark_failures(tx: &mut Transaction, facts: &Facts) -> OperationResult<()> {
    for (host, why) in facts.left_out_failed() {
        let drift = format!(
            "left out of deployment #{} after {} fell short here: {why}",
            facts.number, facts.release.label
        );
        placements::set_drift(tx, host.placement, Some(&drift)).await?;
    }
    for (host, why) in facts.failures() {
        if host
            .confirmed
            .is_some_and(|confirmed| confirmed != facts.release.id)
        {
            let drift = format!(
                "{} failed here in deployment #{}: {why}",
                facts.release.label, facts.number
            );
            placements::set_drift(tx, host.placement, Some(&drift)).await?;
        }
    }
    Ok(())
}

/// Hosts that stay on a release that is not the one that should be live: nobody asked to move them back, so they are
/// shown and left to a person.
async fn mark_stragglers(
    tx: &mut Transaction,
    target: &TargetRow,
    facts: &Facts,
    outcome: DeploymentOutcome,
) -> OperationResult<()> {
    let Some(desired) = target.desired.filter(|desired| *desired != facts.release.id) else {
        return Ok(());
    };
    for host in &facts.hosts {
        if facts.touched(host) && host.confirmed.is_some_and(|confirmed| confirmed != desired) {
            let drift = format!(
                "stays on {} since deployment #{}, which ended {}",
                facts.release.label,
                facts.number,
                outcome.as_str()
            );
            placements::set_drift(tx, host.placement, Some(&drift)).await?;
        }
    }
    Ok(())
}

/// Ends the build that was asked for with a deployment that is over, unless another one wants its release.
pub(super) async fn stop_build(
    app: &App,
    tx: &mut Transaction,
    deployment: DeploymentId,
    release: ReleaseId,
    by: &str,
    reason: &str,
) -> OperationResult<()> {
    if deployments::is_wanted(tx, release, deployment).await? {
        return Ok(());
    }
    for open in jobs::open_of_deployment(tx, deployment).await? {
        if open.purpose == Purpose::Release
            && let Some(job) = jobs::lock(tx, open.id).await?
        {
            cancel_job::request(app, tx, &job, by, reason).await?;
        }
    }
    Ok(())
}
