//! The one place where a job changes: the domain decides, and every effect it asks for is performed here, in the
//! caller's transaction. Nothing else writes a job's state.

use chrono::{DateTime, Utc};
use pointsman_domain::job::{Effect, Ending, JobEnding, JobEvent, Refused, State};
use pointsman_domain::presence::milliseconds;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::name::HostId;
use pointsman_shared::wire;
use pointsman_shared::wire::TraceParent;
use pointsman_shared::wire::job::Audience;
use pointsman_shared::wire::to_agent::Cancel;
use pointsman_shared::wire::topology;
use pointsman_store::events::NewEvent;
use pointsman_store::jobs::{JobRow, Remark};
use pointsman_store::{StoreError, Transaction, attempts, events, jobs, outbox};

use super::conclude_job;
use crate::app::App;
use crate::error::OperationResult;

/// What a change came to.
#[derive(Debug)]
pub enum Changed {
    /// The job after it; none of its effects is left undone but a grant, which its claim answers.
    Done(Box<JobRow>),
    /// The event does not apply; nothing was written.
    Refused(Refused),
}

impl Changed {
    /// The job, when it changed.
    pub fn done(self) -> Option<JobRow> {
        match self {
            Self::Done(row) => Some(*row),
            Self::Refused(_) => None,
        }
    }
}

/// Applies an event to a locked job.
pub async fn apply(
    app: &App,
    tx: &mut Transaction,
    before: &JobRow,
    event: JobEvent,
    now: DateTime<Utc>,
) -> OperationResult<Changed> {
    let mut remark = remark_of(&event);
    let step = match before.job()?.apply(event) {
        Ok(step) => step,
        Err(refused) => return Ok(Changed::Refused(refused)),
    };
    for effect in &step.effects {
        add_ending(&mut remark, effect);
    }
    let late = matches!(step.effects.as_slice(), [Effect::NoteLate { .. }]);
    if late {
        note_late(tx, before, now).await?;
        return Ok(Changed::Done(Box::new(before.clone())));
    }
    jobs::save(tx, before, &step.job, &remark, now).await?;
    let after = jobs::get(tx, before.id)
        .await?
        .ok_or_else(|| StoreError::inconsistent("job", before.id, "it vanished while it was locked"))?;
    if after.state != before.state || after.epoch != before.epoch {
        announce(tx, &after, now).await?;
    }
    for effect in step.effects {
        perform(app, tx, &after, &step.job.state, effect, now).await?;
    }
    Ok(Changed::Done(Box::new(after)))
}

async fn perform(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    state: &State,
    effect: Effect,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    match effect {
        Effect::Offer { epoch } => {
            let State::Offered { until } = state else {
                return Ok(());
            };
            outbox::put_offer(tx, job, epoch, &offer_key(&job.audience), now, *until).await?;
        }
        // The claim that asked for it holds what a grant is made of.
        Effect::Grant { .. } => conclude_job::granted(app, tx, job).await?,
        Effect::EndAttempt { epoch, how } => attempts::end(tx, job.id, epoch, how, now).await?,
        Effect::PushCancel {
            epoch,
            worker,
            instance,
            reason,
        } => {
            let cancel = Cancel {
                v: wire::VERSION,
                host: worker,
                instance,
                job: job.id,
                epoch,
                reason,
                // Both are set before it is signed.
                serial: 0,
                expires_at: 0,
            };
            push_cancel(app, tx, cancel, &job.trace(), now).await?;
        }
        Effect::Conclude(ending) => conclude(app, tx, job, &ending).await?,
        Effect::NoteLate { .. } => note_late(tx, job, now).await?,
    }
    Ok(())
}

/// Boxed by hand: what a job's end means may in turn change jobs.
fn conclude<'a>(
    app: &'a App,
    tx: &'a mut Transaction,
    job: &'a JobRow,
    ending: &'a JobEnding,
) -> std::pin::Pin<Box<dyn Future<Output = OperationResult<()>> + Send + 'a>> {
    Box::pin(conclude_job::conclude(app, tx, job, ending))
}

/// The key, and so the queue, a job is offered on.
pub fn offer_key(audience: &Audience) -> String {
    match audience {
        Audience::Host(host) => topology::host_jobs(host),
        Audience::Pool(pool) => topology::pool_jobs(pool),
    }
}

/// Heartbeat replies repeat a cancel, so one that is not delivered within an offer's life is of no more use.
async fn push_cancel(
    app: &App,
    tx: &mut Transaction,
    mut cancel: Cancel,
    trace: &TraceParent,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let expires_at = now + milliseconds(app.config.timing.offer_ms);
    cancel.expires_at = expires_at.timestamp_millis();
    outbox::put_cancel(tx, &cancel, trace, now, expires_at).await?;
    Ok(())
}

async fn note_late(tx: &mut Transaction, job: &JobRow, now: DateTime<Utc>) -> OperationResult<()> {
    jobs::mark_late(tx, job.id).await?;
    let message = format!(
        "a result of job #{} came too late; nothing was changed",
        job.number
    );
    tell(tx, job, "job.late_result", message, now).await
}

/// What is written beside the new state.
fn remark_of(event: &JobEvent) -> Remark {
    let mut remark = Remark::default();
    match event {
        JobEvent::Lost { why, .. } | JobEvent::Unseen { why } => remark.reason = Some(why.clone()),
        JobEvent::NotBegun { epoch, .. } => {
            remark.reason = Some(format!("the grant of attempt {epoch} arrived too late"));
        }
        JobEvent::Result { outcome, .. } => remark.outcome = Some(outcome.clone()),
        JobEvent::Cancel(request) => {
            remark.reason = Some(request.reason.clone());
            remark.cancel = Some(request.clone());
        }
        JobEvent::Offer { .. }
        | JobEvent::Claim { .. }
        | JobEvent::Rejected { .. }
        | JobEvent::Beat { .. }
        | JobEvent::Supersede { .. }
        | JobEvent::StartDeadline { .. }
        | JobEvent::Unreadable { .. } => {}
    }
    remark
}

fn add_ending(remark: &mut Remark, effect: &Effect) {
    let Effect::Conclude(ending) = effect else {
        return;
    };
    let (reason, code) = match ending {
        JobEnding::Final(Ending::Succeeded { .. }) => (None, None),
        JobEnding::Final(Ending::Failed(failure)) => (Some(&failure.message), Some(&failure.code)),
        JobEnding::Final(
            Ending::Cancelled { reason } | Ending::Superseded { reason } | Ending::Abandoned { reason },
        )
        | JobEnding::Indeterminate { reason }
        | JobEnding::Deferred { reason } => (Some(reason), None),
    };
    remark.reason = reason.cloned();
    remark.code = code.cloned();
}

async fn announce(tx: &mut Transaction, job: &JobRow, now: DateTime<Utc>) -> OperationResult<()> {
    let kind = format!("job.{}", job.state.as_str());
    let what = format!("{} #{}", job.kind, job.number);
    let who = job
        .worker
        .as_ref()
        .or(job.host())
        .map_or("nobody yet", HostId::as_str);
    let why = job
        .reason
        .as_deref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let message = match job.state {
        JobState::Running => format!("{what} runs on {who} (attempt {})", job.epoch),
        JobState::Offered => format!("{what} is offered{why}"),
        JobState::Queued
        | JobState::Deferred
        | JobState::Indeterminate
        | JobState::Succeeded
        | JobState::Failed
        | JobState::Cancelled
        | JobState::Superseded
        | JobState::Abandoned => format!("{what} is {}{why}", job.state.as_str()),
    };
    tell(tx, job, &kind, message, now).await
}

/// Appends an event about a job.
pub async fn tell(
    tx: &mut Transaction,
    job: &JobRow,
    kind: &str,
    message: String,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let names = jobs::names(tx, job.id).await?;
    let event = NewEvent {
        kind,
        project: Some(&names.project),
        target: names.target.as_deref(),
        deployment: names.deployment,
        job: Some(job.number),
        host: job.worker.as_ref().or(job.host()).map(HostId::as_str),
        message,
    };
    events::append(tx, now, &event).await?;
    Ok(())
}
