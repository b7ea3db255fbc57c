//! Lets a newer job take the place of one that nobody works on.

use pointsman_domain::job::JobEvent;
use pointsman_shared::ids::JobId;
use pointsman_store::{Transaction, jobs};

use super::change_job::{self, Changed};
use crate::app::App;
use crate::error::OperationResult;

/// Supersedes a job; true = it is out of the way. A job that runs is waited for.
pub async fn when_idle(app: &App, tx: &mut Transaction, id: JobId, reason: &str) -> OperationResult<bool> {
    let Some(job) = jobs::lock(tx, id).await? else {
        return Ok(true);
    };
    if job.state.is_final() {
        return Ok(true);
    }
    let now = pointsman_store::now(tx).await?;
    let event = JobEvent::Supersede {
        reason: reason.to_owned(),
    };
    Ok(match change_job::apply(app, tx, &job, event, now).await? {
        Changed::Done(_) => true,
        Changed::Refused(_) => false,
    })
}
