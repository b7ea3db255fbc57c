//! Orders a collection on one placement, and takes one back when somebody wants what it names.

use pointsman_domain::job::Purpose;
use pointsman_shared::ids::{Generation, JobId, PlacementId, StreamId};
use pointsman_shared::name::{ReleaseFolder, SlotName};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::TraceParent;
use pointsman_shared::wire::job::{Audience, CollectOrder, JobBody, Order, SlotFence};
use pointsman_store::jobs::JobRow;
use pointsman_store::placements::PlacementRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, garbage, jobs};

use super::cancel_job;
use crate::app::App;
use crate::error::OperationResult;

/// Grants that a collection may have.
const EPOCHS: u32 = 3;

/// What is collected, where.
#[derive(Debug, Clone, Copy)]
pub struct Collection<'a> {
    /// The target.
    pub target: &'a TargetRow,
    /// Where.
    pub placement: &'a PlacementRow,
    /// Why.
    pub purpose: Purpose,
    /// The fence that the host last reported; it refuses when it has moved since.
    pub fence: Generation,
    /// What goes to the trash.
    pub folders: &'a [ReleaseFolder],
    /// The trace of the request that asked for it.
    pub trace: Option<&'a TraceParent>,
}

/// Writes the job; it is not offered yet.
pub async fn insert(app: &App, tx: &mut Transaction, wish: &Collection<'_>) -> OperationResult<JobRow> {
    let number = jobs::reserve_number(tx).await?;
    let order = CollectOrder {
        placement: wish.placement.id,
        root: wish.placement.root.clone(),
        fences: vec![SlotFence {
            slot: SlotName::current(),
            generation: wish.fence,
        }],
        folders: wish.folders.to_vec(),
        log_stream: StreamId(app.ids.next()),
    };
    let body = JobBody {
        v: pointsman_shared::wire::VERSION,
        job: JobId(app.ids.next()),
        number,
        installation: app.config.installation.name.clone(),
        audience: Audience::Host(wish.placement.host.clone()),
        project: wish.target.name.project.clone(),
        project_id: wish.target.project,
        environment: Some(wish.target.name.environment.clone()),
        target_id: Some(wish.target.id),
        deployment: None,
        inputs: Vec::new(),
        order: Order::CollectGarbage(Box::new(order)),
    };
    let new = jobs::NewJob {
        body: &body,
        purpose: wish.purpose,
        max_epochs: EPOCHS,
        trace: wish.trace,
        at: pointsman_store::now(tx).await?,
    };
    Ok(jobs::insert(tx, &new).await?)
}

/// Somebody wants a release on a placement: an open collection that names it is cancelled. True = nothing stands in the
/// way any more; false = an agent is at it, and has to stop first.
pub async fn call_off(
    app: &App,
    tx: &mut Transaction,
    placement: &PlacementRow,
    folder: &ReleaseFolder,
) -> OperationResult<bool> {
    let mut free = true;
    for (id, folders) in open(tx, placement.id).await? {
        if !folders.contains(folder) {
            continue;
        }
        let Some(job) = jobs::lock(tx, id).await? else {
            continue;
        };
        let reason = format!("{folder} is wanted again");
        let state = cancel_job::request(app, tx, &job, "coordinator", &reason).await?;
        free &= state.is_final();
    }
    Ok(free)
}

/// A host told what lies in a root while a collection is open there: what that one names may go at any moment, so nobody
/// counts on it. Its end has the host asked again.
pub async fn still_given_up(tx: &mut Transaction, placement: PlacementId) -> OperationResult<()> {
    for (_, folders) in open(tx, placement).await? {
        garbage::give_up(tx, placement, &folders).await?;
    }
    Ok(())
}

/// The open collections of a placement, and what each names.
async fn open(
    tx: &mut Transaction,
    placement: PlacementId,
) -> OperationResult<Vec<(JobId, Vec<ReleaseFolder>)>> {
    let mut collections = Vec::new();
    for open in jobs::open_of_placement(tx, placement).await? {
        if open.kind != JobKind::CollectGarbage {
            continue;
        }
        if let Order::CollectGarbage(order) = open.parsed_body()?.order {
            collections.push((open.id, order.folders));
        }
    }
    Ok(collections)
}
