//! Offers a job to whoever may take it, or defers it because its one host is absent.

use chrono::{DateTime, Utc};
use pointsman_domain::job::JobEvent;
use pointsman_domain::presence::{Absence, milliseconds};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::job::Audience;
use pointsman_store::jobs::JobRow;
use pointsman_store::{StoreError, Transaction, hosts, jobs};

use super::act;
use super::change_job::{self, Changed};
use crate::app::App;
use crate::error::OperationResult;

/// Offers a queued, offered or deferred job, in the caller's transaction, which holds the job's lock or inserted it.
/// A host's job is deferred while the host cannot work; that turn is told to `conclude_job` like every other. A host
/// that is merely silent gets its offer: whether silence counts (it does not while the broker is away) is for the next
/// sweep to judge. Returns
/// the job's state; one that is running or over is left alone.
pub async fn offer_or_defer(app: &App, tx: &mut Transaction, job: &JobRow) -> OperationResult<JobState> {
    let now = pointsman_store::now(tx).await?;
    let event = match absence(app, tx, job, now).await? {
        Some((host, absence)) if !absence.is_silence() => JobEvent::Unseen {
            why: in_words(&host, &absence),
        },
        Some(_) | None => JobEvent::Offer {
            until: offer_until(app, now),
        },
    };
    Ok(match change_job::apply(app, tx, job, event, now).await? {
        Changed::Done(row) => row.state,
        Changed::Refused(_) => job.state,
    })
}

/// Offers everything again that is offered. Under the stop whoever claimed was refused and let the offer go; without this
/// it would lie until the offer ends.
pub async fn all_again(app: &App) -> OperationResult<()> {
    let offered = jobs::offered(&mut *app.store.read().await?).await?;
    for id in offered {
        let mut tx = app.store.begin().await?;
        let job = jobs::lock(&mut tx, id).await?;
        if let Some(job) = job.filter(|job| job.state == JobState::Offered) {
            offer_or_defer(app, &mut tx, &job).await?;
        }
        act::commit(tx).await?;
    }
    Ok(())
}

/// End of an offer made now.
pub fn offer_until(app: &App, now: DateTime<Utc>) -> DateTime<Utc> {
    now + milliseconds(app.config.timing.offer_ms)
}

/// Why the job's one host is absent, in words; none when it is seen or the job is for a pool.
pub async fn why_absent(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    now: DateTime<Utc>,
) -> OperationResult<Option<String>> {
    let absent = absence(app, tx, job, now).await?;
    Ok(absent.map(|(host, absence)| in_words(&host, &absence)))
}

fn in_words(host: &HostId, absence: &Absence) -> String {
    format!("host {host} is absent: {absence}")
}

async fn absence(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    now: DateTime<Utc>,
) -> OperationResult<Option<(HostId, Absence)>> {
    let Audience::Host(id) = &job.audience else {
        return Ok(None);
    };
    let host = hosts::get(tx, id)
        .await?
        .ok_or_else(|| StoreError::inconsistent("job", job.id, format!("its host {id} does not exist")))?;
    let absence = host.presence.absence(now, &app.config.timing.rhythm());
    Ok(absence.map(|absence| (id.clone(), absence)))
}
