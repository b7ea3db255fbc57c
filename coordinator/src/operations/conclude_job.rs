//! What a turn in a job's life means for releases, placements and good releases: written in the transaction of that
//! turn, so that no fact can lag behind the job it comes from.
//!
//! It moves no deployment: that is [`super::advance_deployment`], poked after the commit.

use pointsman_domain::job::JobEnding;
use pointsman_store::Transaction;
use pointsman_store::jobs::JobRow;

use crate::app::App;
use crate::error::OperationResult;

/// A job's epoch was granted: its release is being built, its placement is being tried.
pub async fn granted(app: &App, tx: &mut Transaction, job: &JobRow) -> OperationResult<()> {
    let _ = (app, tx, job);
    Ok(())
}

/// A job ended, became indeterminate, or waits for an absent host.
pub async fn conclude(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    ending: &JobEnding,
) -> OperationResult<()> {
    let _ = (app, tx, job, ending);
    Ok(())
}
