//! Brings new and returning hosts where their target is, once no deployment is open (protocol.md 3 and 6).
//!
//! A host that is not where its own fence says is never moved: its state is shown, a person decides. A release that
//! could not be brought to a host is not tried there again by itself.

use pointsman_domain::job::Purpose;
use pointsman_domain::placement::{Converging, NextStep, converge};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::releases::ReleaseState;
use pointsman_store::placements::PlacementRow;
use pointsman_store::releases::ReleaseRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, deployments, hosts, jobs, locks, placements, releases, targets};

use super::order_host_job::{self, HostJob};
use super::{act, sync_placements};
use crate::app::App;
use crate::error::OperationResult;

/// Looks at every target without an open deployment.
pub async fn converge_all(app: &App) -> OperationResult<()> {
    let all = targets::all(&mut *app.store.read().await?).await?;
    for target in all {
        if let Err(error) = converge_target(app, &target).await {
            tracing::warn!(target = %target.name, error = &error as &dyn std::error::Error, "a target could not be converged");
        }
    }
    Ok(())
}

async fn converge_target(app: &App, target: &TargetRow) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    if !targets::try_lock(&mut tx, target.id).await? {
        app.bells.reconcile_soon();
        return Ok(());
    }
    sync_placements::sync(app, &mut tx, target).await?;
    let ordered = converge_hosts(app, &mut tx, target).await?;
    act::commit(tx).await?;
    if ordered {
        app.bells.relay.notify_one();
        app.bells.events.notify_one();
    }
    Ok(())
}

/// Orders the next step on every host that lags; returns whether any was ordered.
async fn converge_hosts(app: &App, tx: &mut Transaction, target: &TargetRow) -> OperationResult<bool> {
    // Read again under the lock: a deployment may have ended since the list was made.
    let Some(desired) = targets::get(tx, target.id)
        .await?
        .and_then(|target| target.desired)
    else {
        return Ok(false);
    };
    let now = pointsman_store::now(tx).await?;
    let is_open = deployments::open_of_target(tx, target.id)
        .await?
        .iter()
        .any(|deployment| deployment.started);
    if is_open || locks::global_stop(tx, now).await?.is_some() {
        return Ok(false);
    }
    let Some(release) = releases::get(tx, desired)
        .await?
        .filter(|release| release.state == ReleaseState::Built)
    else {
        return Ok(false);
    };
    let mut ordered = false;
    for placement in placements::of_target(tx, target.id).await? {
        let stays = placement.drift.is_some() || placement.unusable || placement.fence.is_none();
        if placement.confirmed == Some(desired) || stays {
            continue;
        }
        let facts = facts(app, tx, &placement, &release).await?;
        let wish = HostJob {
            placement: &placement,
            target,
            release: &release,
            purpose: Purpose::Converge,
            deployment: None,
            trace: None,
        };
        match converge(&facts) {
            Some(NextStep::Install(_)) => order_host_job::install(app, tx, &wish).await?,
            Some(NextStep::Switch(_)) => drop(order_host_job::switch(app, tx, &wish, false).await?),
            None => continue,
        }
        ordered = true;
    }
    Ok(ordered)
}

async fn facts(
    app: &App,
    tx: &mut Transaction,
    placement: &PlacementRow,
    release: &ReleaseRow,
) -> OperationResult<Converging> {
    let now = pointsman_store::now(tx).await?;
    let host = hosts::get(tx, &placement.host).await?;
    let absence = host.map(|host| host.presence.absence(now, &app.config.timing.rhythm()));
    let newest = placements::newest_try(tx, placement.id, release.id).await?;
    Ok(Converging {
        desired: Some(release.id),
        confirmed: placement.confirmed,
        installed: placements::has_release(tx, placement.id, release.id).await?,
        seen: absence == Some(None),
        fenced: placement.fence.is_some(),
        drifted: placement.drift.is_some() || placement.unusable,
        busy: !jobs::open_of_placement(tx, placement.id).await?.is_empty(),
        failed: matches!(newest, Some(JobState::Failed | JobState::Cancelled)),
    })
}
