//! One sweep over the open jobs: the net under every notification. Leases that ran out are lost, offers that ran out are
//! made again, absent hosts' jobs wait, and what nobody can start fails after its deadline.
//!
//! Each job is looked at in a transaction of its own; one that another coordinator holds is skipped. Until reports were
//! consumed for a full lease nothing is called lost or absent (see `broker::watch`).

use std::time::Duration;

use chrono::{DateTime, Utc};
use pointsman_domain::job::{AttemptEnding, JobEvent};
use pointsman_domain::presence::milliseconds;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::JobId;
use pointsman_store::jobs::{JobRow, Patience};
use pointsman_store::{Transaction, jobs};
use tokio::time::Instant;

use super::{act, change_job, find_fit, offer_job};
use crate::app::App;
use crate::error::OperationResult;

/// What a sweep may conclude from silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// Reports were read for a full lease: who is silent is gone.
    Counts,
    /// Reports may still lie unread: silence says nothing.
    SaysNothing,
}

/// How far a sweep looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// At what may have changed.
    Due,
    /// At every offer, too: silence begins to count, and nobody was called absent before.
    All,
}

/// How a sweep went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swept {
    /// Everything that was due was looked at.
    Whole,
    /// The database let it wait, so that whoever was silent may have been unable to be heard. Nothing more was looked at.
    Late,
}

/// How long a database that is well lets a sweep wait.
const WAIT: Duration = Duration::from_secs(1);
/// Longer than any offer stands; milliseconds.
const ALWAYS_MS: u64 = 10 * 365 * 24 * 3_600_000;

/// Looks at what is due.
pub async fn execute(app: &App, silence: Silence, reach: Reach) -> OperationResult<Swept> {
    let asked = Instant::now();
    let due = jobs::due(&mut *app.store.read().await?, patience(app, reach)).await?;
    if asked.elapsed() > WAIT {
        return Ok(Swept::Late);
    }
    let mut swept = Swept::Whole;
    let mut changed = false;
    for id in due {
        let Some(done) = look(app, id, silence).await? else {
            swept = Swept::Late;
            break;
        };
        changed |= done;
    }
    if changed {
        app.bells.ring();
    }
    Ok(swept)
}

fn patience(app: &App, reach: Reach) -> Patience {
    let timing = &app.config.timing;
    let beats = u64::from(timing.unseen_beats);
    Patience {
        quiet_ms: timing.beat_ms.min(timing.idle_beat_ms) * beats,
        heard_ms: timing.beat_ms.max(timing.idle_beat_ms) * beats,
        young_ms: match reach {
            Reach::Due => timing.sweep_ms * 3,
            Reach::All => ALWAYS_MS,
        },
        deadline_ms: timing.start_deadline_ms,
    }
}

/// Looks at one job; says whether it changed. None = what was known of its agent's silence is too old.
async fn look(app: &App, id: JobId, silence: Silence) -> OperationResult<Option<bool>> {
    let asked = Instant::now();
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    if asked.elapsed() > WAIT {
        return Ok(None);
    }
    let Some(job) = jobs::lock_free(&mut tx, id).await? else {
        return Ok(Some(false));
    };
    let changed = match job.state {
        JobState::Running => expire_lease(app, &mut tx, &job, silence, now).await?,
        JobState::Offered => tend_offer(app, &mut tx, &job, silence, now).await?,
        JobState::Deferred => end_deferral(app, &mut tx, &job, now).await?,
        JobState::Queued
        | JobState::Indeterminate
        | JobState::Succeeded
        | JobState::Failed
        | JobState::Cancelled
        | JobState::Superseded
        | JobState::Abandoned => false,
    };
    act::commit(tx).await?;
    Ok(Some(changed))
}

async fn expire_lease(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    silence: Silence,
    now: DateTime<Utc>,
) -> OperationResult<bool> {
    let over = job.lease_until.is_some_and(|lease_until| lease_until < now);
    if !over || silence == Silence::SaysNothing {
        return Ok(false);
    }
    let worker = job.worker.as_ref().map_or("its host", |host| host.as_str());
    let event = JobEvent::Lost {
        epoch: job.epoch,
        how: AttemptEnding::Lost,
        why: format!(
            "attempt {} on {worker} was lost: no heartbeat for a full lease",
            job.epoch
        ),
        until: offer_job::offer_until(app, now),
    };
    Ok(change_job::apply(app, tx, job, event, now)
        .await?
        .done()
        .is_some())
}

async fn end_deferral(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    now: DateTime<Utc>,
) -> OperationResult<bool> {
    if offer_job::why_absent(app, tx, job, now).await?.is_some() {
        return Ok(false);
    }
    Ok(offer_job::offer_or_defer(app, tx, job).await? == JobState::Offered)
}

async fn tend_offer(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    silence: Silence,
    now: DateTime<Utc>,
) -> OperationResult<bool> {
    if silence == Silence::Counts
        && let Some(why) = offer_job::why_absent(app, tx, job, now).await?
    {
        let deferred = change_job::apply(app, tx, job, JobEvent::Unseen { why }, now).await?;
        return Ok(deferred.done().is_some());
    }
    let fitness = find_fit::of(app, tx, job, now).await?;
    let asked = find_fit::asked(job);
    // While silence says nothing, nobody is known to be absent, and no time of theirs is counted.
    let nobody = fitness.is_nobody() && silence == Silence::Counts;
    let since = nobody.then(|| job.waiting_since.unwrap_or(now));
    let deadline = milliseconds(app.config.timing.start_deadline_ms);
    if let Some(since) = since.filter(|since| *since + deadline < now) {
        let waits = fitness.waits_for(&asked).unwrap_or_default();
        let event = JobEvent::StartDeadline {
            reason: format!(
                "nobody could start it since {}: {waits}",
                since.format("%F %T UTC")
            ),
        };
        return Ok(change_job::apply(app, tx, job, event, now)
            .await?
            .done()
            .is_some());
    }
    let expired = job.offer_expires_at.is_none_or(|until| until < now);
    let offered = expired && offer_job::offer_or_defer(app, tx, job).await? == JobState::Offered;
    let waits = fitness.waits_for(&asked);
    if since != job.waiting_since || (waits.is_some() && waits != job.reason) {
        jobs::note_waiting(tx, job.id, since, waits.as_deref().or(job.reason.as_deref())).await?;
    }
    Ok(offered)
}
