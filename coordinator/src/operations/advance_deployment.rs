//! Moves open deployments: facts in, decisions out, all of one look in one transaction under the target's lock.
//!
//! Level-triggered: whoever calls, however often, the same facts give the same rows. Several coordinators may do it at
//! once; a locked target is skipped, its holder looks at it. Locks are taken in the order target, deployment, jobs,
//! placements.

use chrono::{DateTime, Utc};
use pointsman_domain::deployment::{Decision, DeploymentKind, DeploymentOutcome, Facts, decide};
use pointsman_domain::job::Purpose;
use pointsman_shared::ids::{DeploymentId, JobId, PlacementId, ReleaseId, TargetId};
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::wire::job::MigrateMode;
use pointsman_store::deployments::Start;
use pointsman_store::placements::PlacementRow;
use pointsman_store::releases::ReleaseRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{
    StoreError, Transaction, deployments, jobs, migrations, placements, releases, targets,
};

use super::order_host_job::{self, HostJob, MigrationWork};
use super::pause_pushes::Way;
use super::{
    act, cancel_job, end_deployment, judge_rollback, make_plan, offer_job, pass_gates, pause_pushes,
    supersede_job, sync_placements, tell_deployment,
};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::system;

/// Looks in one transaction: a step may allow the next at once, but never without end.
const LOOKS: usize = 32;

/// Looks at every open deployment.
pub async fn advance_all(app: &App) -> OperationResult<()> {
    let open = deployments::open(&mut *app.store.read().await?).await?;
    for deployment in open {
        if let Err(error) = advance(app, deployment.target, deployment.id).await {
            // The others go on; this one is looked at again.
            tracing::warn!(
                deployment = deployment.number,
                error = &error as &dyn std::error::Error,
                "a deployment could not be advanced"
            );
        }
    }
    Ok(())
}

/// Looks at the open deployments of one target, until none has anything to do right now.
pub async fn advance_target(app: &App, target: TargetId) -> OperationResult<()> {
    // An end may start the next one.
    for _ in 0..2 {
        for deployment in deployments::open_of_target(&mut *app.store.read().await?, target).await? {
            advance(app, target, deployment.id).await?;
        }
    }
    Ok(())
}

/// Looks at one deployment.
pub async fn advance(app: &App, target: TargetId, id: DeploymentId) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    if !targets::try_lock(&mut tx, target).await? || !deployments::try_lock(&mut tx, id).await? {
        app.bells.reconcile_soon();
        return Ok(());
    }
    let target = targets::get(&mut tx, target)
        .await?
        .ok_or_else(|| StoreError::inconsistent("deployment", id, "its target does not exist"))?;
    let mut changed = false;
    for look in 0..LOOKS {
        let facts = deployments::facts(&mut tx, id)
            .await?
            .ok_or_else(|| StoreError::inconsistent("deployment", id, "it vanished while it was locked"))?;
        if look == 0 && facts.started_at.is_none() {
            // A root that belongs to another target was refused at the request; a later one is shown by `doctor`.
            sync_placements::sync(app, &mut tx, &target).await?;
            continue;
        }
        let now = pointsman_store::now(&mut tx).await?;
        let decisions = decide(&facts, now);
        if decisions.is_empty() {
            break;
        }
        changed = true;
        let mut look = Look {
            app,
            target: &target,
            facts: &facts,
            now,
        };
        let mut progressed = false;
        for decision in decisions {
            progressed |= look.perform(&mut tx, decision).await?;
        }
        if !progressed {
            break;
        }
    }
    act::commit(tx).await?;
    if changed {
        app.bells.relay.notify_one();
        app.bells.events.notify_one();
        app.bells.reconcile.notify_one();
    }
    Ok(())
}

/// One look at a deployment: what was seen, and when.
struct Look<'a> {
    app: &'a App,
    target: &'a TargetRow,
    facts: &'a Facts,
    now: DateTime<Utc>,
}

impl Look<'_> {
    /// Performs a decision; false = it has to wait for something outside, so looking again now is no use.
    async fn perform(&mut self, tx: &mut Transaction, decision: Decision) -> OperationResult<bool> {
        let (app, id) = (self.app, self.facts.id);
        match decision {
            Decision::Start { from, hosts } => {
                let start = Start {
                    id,
                    from: from.map(|from| from.id),
                    hosts: &hosts,
                    at: self.now,
                };
                self.start(tx, &start).await?;
            }
            Decision::Install {
                placement,
                release,
                undo,
            } => {
                self.order(tx, placement, release, undo, false).await?;
            }
            Decision::Switch {
                placement,
                release,
                undo,
            } => {
                return self.order(tx, placement, release, undo, true).await;
            }
            Decision::Migrate { placement, release } => return self.migrate(tx, placement, release).await,
            Decision::Defer { placement, why } => self.defer(tx, placement, &why).await?,
            Decision::Cancel { job, reason } => self.cancel(tx, job, &reason).await?,
            Decision::Pause(paused) => {
                deployments::pause(tx, id, &paused).await?;
                tell_deployment::tell(tx, self.target, self.facts, "deployment.paused", &paused.message)
                    .await?;
            }
            Decision::RollBack(rollback) => {
                deployments::decide_rollback(tx, id, &rollback).await?;
                let way = Way {
                    from: Some(self.facts.release.id),
                    to: rollback.to.id,
                    rollback: None,
                };
                let actor = system::actor(app, tx).await?;
                pause_pushes::after_rollback(app, tx, &actor, self.target, way).await?;
                let message = format!("rolling back to {}: {}", rollback.to.label, rollback.reason);
                tell_deployment::tell(tx, self.target, self.facts, "deployment.rolling_back", &message)
                    .await?;
            }
            Decision::End { outcome, detail } => {
                end_deployment::end(app, tx, self.target, self.facts, outcome, &detail).await?;
            }
        }
        Ok(true)
    }

    async fn start(&self, tx: &mut Transaction, start: &Start<'_>) -> OperationResult<()> {
        if let Some(refusal) = self.refusal(tx).await? {
            let outcome = DeploymentOutcome::Failed;
            return end_deployment::end(self.app, tx, self.target, self.facts, outcome, &refusal).await;
        }
        deployments::start(tx, start).await?;
        let mut steps = vec![("build", "release"), ("install", "hosts")];
        steps.extend(self.facts.migrations.pre.then_some(("migrate_pre", "target")));
        steps.push(("switch", "hosts"));
        deployments::add_steps(tx, start.id, &steps).await?;
        // While a deployment is open, nobody else moves its hosts; what runs already is waited for.
        for (placement, _) in start.hosts {
            for job in jobs::open_of_placement(tx, *placement).await? {
                if job.purpose == Purpose::Converge {
                    let reason = format!("deployment #{} started", self.facts.number);
                    supersede_job::when_idle(self.app, tx, job.id, &reason).await?;
                }
            }
        }
        let message = format!(
            "deploying {} to {} hosts",
            self.facts.release.label,
            start.hosts.len()
        );
        tell_deployment::tell(tx, self.target, self.facts, "deployment.started", &message).await
    }

    /// What was judged at the request may have changed while the wish waited.
    async fn refusal(&self, tx: &mut Transaction) -> OperationResult<Option<String>> {
        let release = self.facts.release.id;
        let row = releases::get(tx, release)
            .await?
            .ok_or_else(|| StoreError::inconsistent("deployment", self.facts.id, "its release is gone"))?;
        let judged = match self.facts.kind {
            DeploymentKind::Deploy => self.judge_deploy(tx, &row).await,
            DeploymentKind::Rollback => judge_rollback::execute(self.app, tx, self.target, release)
                .await
                .map(drop),
        };
        match judged {
            Ok(()) => Ok(None),
            Err(OperationError::Refused(refusal)) => Ok(Some(refusal.what)),
            Err(error) => Err(error),
        }
    }

    async fn judge_deploy(&self, tx: &mut Transaction, release: &ReleaseRow) -> OperationResult<()> {
        judge_rollback::refuse_forbidden(tx, self.target, release).await?;
        pass_gates::execute(tx, self.target, release).await?;
        if let Some(hash) = deployments::plan_of(tx, self.facts.id).await? {
            make_plan::hold_to(tx, self.target, release, &self.facts.strategy, &hash).await?;
        }
        Ok(())
    }

    async fn order(
        &self,
        tx: &mut Transaction,
        placement: PlacementId,
        release: ReleaseId,
        undo: bool,
        switch: bool,
    ) -> OperationResult<bool> {
        let (placement, release) = self.rows(tx, placement, release).await?;
        let back = undo || self.facts.kind == DeploymentKind::Rollback;
        let wish = HostJob {
            placement: &placement,
            target: self.target,
            release: &release,
            purpose: if back { Purpose::Undo } else { Purpose::Deploy },
            deployment: Some(self.facts.id),
            trace: None,
        };
        if switch {
            return order_host_job::switch(self.app, tx, &wish, back).await;
        }
        order_host_job::install(self.app, tx, &wish).await?;
        Ok(true)
    }

    async fn rows(
        &self,
        tx: &mut Transaction,
        placement: PlacementId,
        release: ReleaseId,
    ) -> OperationResult<(PlacementRow, ReleaseRow)> {
        let missing = |what: &str| StoreError::inconsistent("deployment", self.facts.id, what);
        let placement = placements::get(tx, placement).await?;
        let release = releases::get(tx, release).await?;
        Ok((
            placement.ok_or_else(|| missing("a frozen placement is gone"))?,
            release.ok_or_else(|| missing("its release is gone"))?,
        ))
    }

    /// False while another run is at the ledger, or one whose effect nobody knows: it is waited for.
    async fn migrate(
        &self,
        tx: &mut Transaction,
        placement: PlacementId,
        release: ReleaseId,
    ) -> OperationResult<bool> {
        let runs = migrations::runs(tx, self.target.id).await?;
        if runs.iter().any(|run| run.is_open() || run.is_indeterminate()) {
            return Ok(false);
        }
        let (placement, release) = self.rows(tx, placement, release).await?;
        let wish = HostJob {
            placement: &placement,
            target: self.target,
            release: &release,
            purpose: Purpose::Deploy,
            deployment: Some(self.facts.id),
            trace: None,
        };
        let work = MigrationWork {
            phase: MigrationPhase::Pre,
            mode: MigrateMode::Apply,
            migrations: &[],
        };
        let job = order_host_job::migrate(self.app, tx, &wish, work).await?;
        offer_job::offer_or_defer(self.app, tx, &job).await?;
        Ok(true)
    }

    async fn defer(&self, tx: &mut Transaction, placement: PlacementId, why: &str) -> OperationResult<()> {
        deployments::defer_host(tx, self.facts.id, placement, why).await?;
        for job in jobs::open_of_placement(tx, placement).await? {
            if job.deployment == Some(self.facts.id) {
                supersede_job::when_idle(self.app, tx, job.id, why).await?;
            }
        }
        let host = self.facts.hosts.iter().find(|host| host.placement == placement);
        let message = format!(
            "{} is deferred: {why}",
            host.map_or("a host", |host| host.host.as_str())
        );
        tell_deployment::tell(tx, self.target, self.facts, "deployment.deferred", &message).await
    }

    async fn cancel(&self, tx: &mut Transaction, job: JobId, reason: &str) -> OperationResult<()> {
        if let Some(job) = jobs::lock(tx, job).await? {
            let by = self
                .facts
                .cancel
                .as_ref()
                .map_or("coordinator", |cancel| cancel.by.as_str());
            cancel_job::request(self.app, tx, &job, by, reason).await?;
        }
        Ok(())
    }
}
