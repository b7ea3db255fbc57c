//! Takes back an offer that came out of the broker unread: offered again, and failed when that happens too often, for
//! such an offer ends every agent that reads it, or none can read it.

use pointsman_domain::job::JobEvent;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::{Epoch, JobId};
use pointsman_store::jobs;

use super::{act, change_job, find_fit, offer_job};
use crate::app::App;
use crate::error::OperationResult;

/// Offers that may come back before the job fails.
const DEAD_OFFERS: u32 = 3;

/// Takes back the offer of this epoch; one that is outdated is let go.
pub async fn execute(app: &App, job: JobId, epoch: Epoch) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    let Some(job) = jobs::lock(&mut tx, job).await? else {
        return Ok(());
    };
    if job.state != JobState::Offered || job.epoch != epoch {
        return Ok(());
    }
    jobs::count_dead_offer(&mut tx, job.id).await?;
    if job.dead_offers + 1 < DEAD_OFFERS {
        offer_job::offer_or_defer(app, &mut tx, &job).await?;
    } else {
        let asked = find_fit::asked(&job);
        let event = JobEvent::Unreadable {
            epoch,
            message: format!(
                "its offer came back unread {DEAD_OFFERS} times from the agents of {asked}; their logs say why"
            ),
        };
        change_job::apply(app, &mut tx, &job, event, now).await?;
    }
    act::commit(tx).await?;
    app.bells.ring();
    Ok(())
}
