//! Cancels a job (protocol.md 5): at once when nobody works on it, else by a request that its agent gets on the control
//! queue and again with every heartbeat reply.

use pointsman_domain::job::{CancelRequest, JobEvent};
use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_shared::api::jobs::JobState;
use pointsman_store::jobs::JobRow;
use pointsman_store::{Transaction, jobs, views};

use super::change_job::{self, Changed};
use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// The act, as the audit trail calls it.
const ACTION: &str = "job.cancel";

/// Cancels a job in the caller's transaction, which holds the job's lock. Returns the state after it; a job that is
/// over, or whose cancel was requested before, is left as it is.
pub async fn request(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    by: &str,
    reason: &str,
) -> OperationResult<JobState> {
    let now = pointsman_store::now(tx).await?;
    let event = JobEvent::Cancel(CancelRequest {
        by: by.to_owned(),
        at: now,
        reason: reason.to_owned(),
    });
    Ok(match change_job::apply(app, tx, job, event, now).await? {
        Changed::Done(row) => row.state,
        Changed::Refused(_) => job.state,
    })
}

/// Cancels the job with this number, for a principal.
pub async fn execute(
    app: &App,
    actor: &Actor,
    number: i64,
    reason: Option<&str>,
) -> OperationResult<JobState> {
    let object = format!("job #{number}");
    act::audited(
        app,
        actor,
        ACTION,
        &object,
        cancel(app, actor, number, reason, &object),
    )
    .await
}

async fn cancel(
    app: &App,
    actor: &Actor,
    number: i64,
    reason: Option<&str>,
    object: &str,
) -> OperationResult<JobState> {
    let project = views::reach::of_job(&mut *app.store.read().await?, number).await?;
    known::authorize(actor, project.as_ref(), Action::Deploy, object)?;
    reason::judge("reason", reason)?;
    let mut tx = app.store.begin().await?;
    let job = jobs::lock_by_number(&mut tx, number).await?.ok_or_else(|| {
        Refusal::not_found("unknown_job", format!("there is no job #{number}")).hint("pointsman jobs")
    })?;
    if job.state.is_final() {
        let what = format!("job #{number} is over: it is {}", job.state.as_str());
        return Err(Refusal::conflict("job_over", what).into());
    }
    let reason = reason.map_or_else(|| format!("cancelled by {}", actor.name), str::to_owned);
    let state = request(app, &mut tx, &job, &actor.name, &reason).await?;
    let detail = serde_json::json!({ "reason": reason, "state": state.as_str() });
    act::done(app, &mut tx, actor, ACTION, object, detail).await?;
    act::commit(tx).await?;
    app.bells.ring();
    Ok(state)
}
