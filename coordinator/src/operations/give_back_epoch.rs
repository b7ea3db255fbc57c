//! Takes back an epoch whose grant arrived too late: nothing was begun, so it is offered again.

use pointsman_domain::job::JobEvent;
use pointsman_shared::wire::from_agent::NotBegun;
use pointsman_store::{hosts, jobs};

use super::{act, change_job, offer_job};
use crate::app::App;
use crate::error::OperationResult;

/// Takes a verified `not_begun`; one for an epoch that is no longer current changes nothing.
pub async fn execute(app: &App, not_begun: &NotBegun) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    hosts::lock(&mut tx, &not_begun.host).await?;
    let Some(job) = jobs::lock(&mut tx, not_begun.job).await? else {
        return Ok(());
    };
    if job.worker.as_ref() != Some(&not_begun.host) {
        return Ok(());
    }
    let event = JobEvent::NotBegun {
        epoch: not_begun.epoch,
        instance: not_begun.instance,
        until: offer_job::offer_until(app, now),
    };
    change_job::apply(app, &mut tx, &job, event, now).await?;
    act::commit(tx).await?;
    app.bells.ring();
    Ok(())
}
