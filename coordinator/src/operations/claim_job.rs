//! Decides a claim: one conditional UPDATE makes the epoch, and the sealed grant is stored with it, so that the same
//! claim always gets the same bytes while the lease lives.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_domain::job::{Claimant, JobEvent, Purpose};
use pointsman_domain::presence::milliseconds;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire;
use pointsman_shared::wire::Envelope;
use pointsman_shared::wire::from_agent::Claim;
use pointsman_shared::wire::job::Audience;
use pointsman_shared::wire::to_agent::{Denial, DenialReason, Grant};
use pointsman_store::attempts::{self, Attempt, NewAttempt};
use pointsman_store::hosts::HostRow;
use pointsman_store::jobs::JobRow;
use pointsman_store::{StoreError, Transaction, hosts, jobs, locks};

use super::act;
use super::change_job::{self, Changed};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::reply::Reply;

/// Answers a verified claim with a grant or a denial.
pub async fn execute(app: &App, claim: &Claim) -> OperationResult<Vec<Reply>> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    let host = hosts::lock(&mut tx, &claim.host)
        .await?
        .ok_or_else(|| StoreError::inconsistent("host", &claim.host, "it signed and does not exist"))?;
    let answer = decide(app, &mut tx, &host, claim, now).await?;
    act::commit(tx).await?;
    let envelope = match answer {
        Ok(grant) => {
            let epoch = claim.epoch.next();
            tracing::info!(job = %claim.job, %epoch, host = %claim.host, "a claim is granted");
            app.bells.reconcile.notify_one();
            app.bells.events.notify_one();
            crate::crash_point!(C5);
            grant
        }
        Err(reason) => {
            tracing::info!(job = %claim.job, host = %claim.host, ?reason, "a claim is denied");
            app.signatory.sign_denial(Denial {
                v: wire::VERSION,
                host: claim.host.clone(),
                instance: claim.instance,
                job: claim.job,
                epoch: claim.epoch,
                nonce: claim.nonce.clone(),
                reason,
            })
        }
    };
    Ok(vec![Reply {
        host: claim.host.clone(),
        envelope,
    }])
}

async fn decide(
    app: &App,
    tx: &mut Transaction,
    host: &HostRow,
    claim: &Claim,
    now: DateTime<Utc>,
) -> OperationResult<Result<Envelope, DenialReason>> {
    let Some(job) = jobs::lock(tx, claim.job).await? else {
        return Ok(Err(DenialReason::Unknown));
    };
    if let Some(attempt) = attempts::get(tx, claim.job, claim.epoch.next()).await? {
        return repeat(&job, &attempt, claim, now);
    }
    let stopped = locks::is_stopped(tx, now).await? && !belongs_to_rollback(tx, &job).await?;
    if let Some(reason) = refusal(host, &job, claim, stopped) {
        return Ok(Err(reason));
    }
    grant(app, tx, host, &job, claim, now).await
}

/// A claim that was answered before: the stored bytes while the lease lives, else a denial.
fn repeat(
    job: &JobRow,
    attempt: &Attempt,
    claim: &Claim,
    now: DateTime<Utc>,
) -> OperationResult<Result<Envelope, DenialReason>> {
    if attempt.nonce != claim.nonce || attempt.host != claim.host || attempt.instance != claim.instance {
        return Ok(Err(DenialReason::Taken));
    }
    let lives = !attempt.ended
        && job.epoch == claim.epoch.next()
        && job.lease_until.is_some_and(|lease_until| lease_until > now);
    if !lives {
        return Ok(Err(DenialReason::LeaseOver));
    }
    let envelope = Envelope::from_bytes(&attempt.granted)
        .map_err(|error| StoreError::inconsistent("attempt", job.id, error))?;
    Ok(Ok(envelope))
}

/// Why a claim is denied before the job is asked.
fn refusal(host: &HostRow, job: &JobRow, claim: &Claim, stopped: bool) -> Option<DenialReason> {
    let of_audience = match &job.audience {
        Audience::Host(id) => *id == host.id,
        Audience::Pool(pool) => host.pools.contains(pool),
    };
    if claim.digest != job.body_digest {
        return Some(DenialReason::Unknown);
    }
    if host.instance != Some(claim.instance) {
        return Some(DenialReason::WrongInstance);
    }
    if !of_audience || !host.kinds.contains(&job.kind) || host.key.is_none() {
        return Some(DenialReason::NotAllowed);
    }
    if job.state.is_final() || job.cancel_requested.is_some() {
        return Some(DenialReason::Over);
    }
    (stopped || host.presence.paused.is_some()).then_some(DenialReason::Stopped)
}

/// The global stop lets pass what belongs to a rollback, its installs included.
async fn belongs_to_rollback(tx: &mut Transaction, job: &JobRow) -> OperationResult<bool> {
    if job.purpose == Purpose::Undo || job.kind == JobKind::Rollback {
        return Ok(true);
    }
    Ok(locks::is_of_rollback(tx, job.id).await?)
}

async fn grant(
    app: &App,
    tx: &mut Transaction,
    host: &HostRow,
    job: &JobRow,
    claim: &Claim,
    now: DateTime<Utc>,
) -> OperationResult<Result<Envelope, DenialReason>> {
    let times = app.config.timing.leases(hosts::working(tx).await? + 1);
    let event = JobEvent::Claim {
        epoch: claim.epoch,
        by: Claimant {
            host: host.id.clone(),
            instance: claim.instance,
        },
        lease_until: now + milliseconds(times.lease_ms),
    };
    let granted = match change_job::apply(app, tx, job, event, now).await? {
        Changed::Done(job) => job,
        Changed::Refused(_) => return Ok(Err(DenialReason::Taken)),
    };
    let envelope = app.signatory.sign_grant(Grant {
        v: wire::VERSION,
        host: host.id.clone(),
        instance: claim.instance,
        job: job.id,
        epoch: granted.epoch,
        digest: job.body_digest,
        nonce: claim.nonce.clone(),
        granted_at: now.timestamp_millis(),
        times,
    });
    let attempt = NewAttempt {
        job: job.id,
        epoch: granted.epoch,
        host: &host.id,
        instance: claim.instance,
        nonce: &claim.nonce,
        granted: &envelope.to_bytes(),
        at: now,
    };
    attempts::insert(tx, &attempt)
        .await
        .map_err(OperationError::from)?;
    if let Some(took) = answer_time(job, now) {
        hosts::note_answer(tx, &host.id, took, now).await?;
    }
    Ok(Ok(envelope))
}

/// How long the way from the newest offer to its claim took. A pool's offer may wait for any builder, and one that was
/// declined or came back unread waited for something else than the way.
fn answer_time(job: &JobRow, now: DateTime<Utc>) -> Option<TimeDelta> {
    let was_put_back = !job.declined.is_empty() || job.dead_offers > 0;
    let offered_at = job.offered_at.filter(|_| job.host().is_some() && !was_put_back)?;
    Some(now - offered_at)
}
