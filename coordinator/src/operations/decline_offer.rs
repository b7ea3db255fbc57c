//! Takes an agent's no: a busy one is asked again when a slot is free, a host that refuses for good fails its job, and a
//! pool's offer goes to whoever else could take it.

use chrono::{DateTime, Utc};
use pointsman_domain::job::JobEvent;
use pointsman_domain::presence::milliseconds;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::wire::from_agent::{DeclineReason, Declined, SlotFree};
use pointsman_shared::wire::job::Audience;
use pointsman_store::hosts::HostRow;
use pointsman_store::jobs::JobRow;
use pointsman_store::{StoreError, Transaction, hosts, jobs};

use super::{act, change_job, find_fit, offer_job};
use crate::app::App;
use crate::error::OperationResult;

/// Jobs that one free slot makes us offer again, at most; the queue holds the others.
const PER_SLOT: i64 = 20;

/// Takes a decline of the current process for the newest offer; others are outdated.
pub async fn execute(app: &App, declined: &Declined) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    let host = locked(&mut tx, &declined.host).await?;
    let Some(job) = jobs::lock(&mut tx, declined.job).await? else {
        return Ok(());
    };
    let current = host.instance == Some(declined.instance)
        && job.state == JobState::Offered
        && job.epoch == declined.epoch;
    if !current {
        return Ok(());
    }
    take(app, &mut tx, &host, &job, &declined.reason, now).await?;
    act::commit(tx).await?;
    app.bells.relay.notify_one();
    app.bells.events.notify_one();
    Ok(())
}

/// Offers again what this host declined for want of a slot.
pub async fn slot_free(app: &App, free: &SlotFree) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let host = locked(&mut tx, &free.host).await?;
    if host.instance != Some(free.instance) {
        return Ok(());
    }
    hosts::mark_free(&mut tx, &free.host, free.kind).await?;
    for job in jobs::declined_as_busy(&mut tx, &free.host, free.kind, PER_SLOT).await? {
        jobs::forget_decline(&mut tx, job.id, &free.host).await?;
        offer_job::offer_or_defer(app, &mut tx, &job).await?;
    }
    act::commit(tx).await?;
    app.bells.relay.notify_one();
    app.bells.events.notify_one();
    Ok(())
}

async fn locked(tx: &mut Transaction, host: &pointsman_shared::name::HostId) -> OperationResult<HostRow> {
    Ok(hosts::lock(tx, host)
        .await?
        .ok_or_else(|| StoreError::inconsistent("host", host, "it signed and does not exist"))?)
}

async fn take(
    app: &App,
    tx: &mut Transaction,
    host: &HostRow,
    job: &JobRow,
    reason: &DeclineReason,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let for_good = match reason {
        DeclineReason::Policy { message } => Some(("refused_by_policy", message)),
        DeclineReason::Unreadable { message } => Some(("unreadable", message)),
        DeclineReason::Busy | DeclineReason::Closed { .. } | DeclineReason::Draining => None,
    };
    if let (Some((code, message)), Audience::Host(id)) = (for_good, &job.audience) {
        let event = JobEvent::Rejected {
            epoch: job.epoch,
            code,
            message: format!("host {id} refuses it: {message}"),
        };
        change_job::apply(app, tx, job, event, now).await?;
        return Ok(());
    }
    jobs::decline(tx, job.id, &host.id, reason).await?;
    match reason {
        DeclineReason::Busy => hosts::mark_busy(tx, &host.id, job.kind).await?,
        DeclineReason::Closed { .. } => {
            // Its state may have changed, or an adopt was lost: asking for it again is the cure.
            hosts::store_state_digest(tx, &host.id, None).await?;
            let soon = now + milliseconds(app.config.timing.beat_ms);
            jobs::shorten_offer(tx, job.id, soon).await?;
        }
        DeclineReason::Policy { .. } | DeclineReason::Draining | DeclineReason::Unreadable { .. } => {}
    }
    pass_on(app, tx, job, now).await
}

/// Offers a pool's job again when somebody else could take it now, and writes down what it waits for.
async fn pass_on(app: &App, tx: &mut Transaction, job: &JobRow, now: DateTime<Utc>) -> OperationResult<()> {
    let Some(job) = jobs::lock(tx, job.id).await? else {
        return Ok(());
    };
    let fitness = find_fit::of(app, tx, &job, now).await?;
    if !fitness.free.is_empty() && job.host().is_none() {
        offer_job::offer_or_defer(app, tx, &job).await?;
        return Ok(());
    }
    let waits = fitness.waits_for(&find_fit::asked(&job));
    let since = fitness.is_nobody().then(|| job.waiting_since.unwrap_or(now));
    jobs::note_waiting(tx, job.id, since, waits.as_deref()).await?;
    Ok(())
}
