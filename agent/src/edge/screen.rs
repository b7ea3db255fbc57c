//! An offer's body, read once, and what this host says to it before it claims: policy, roots, closed placements.

use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PlacementId;
use pointsman_shared::name::RootPath;
use pointsman_shared::wire::from_agent::DeclineReason;
use pointsman_shared::wire::job::Order;
use pointsman_shared::wire::to_agent::Offer;
use pointsman_shared::wire::{BODY_VERSIONS, JobBody, TraceParent, Verified};

use super::survivors;
use super::tools::Tools;
use crate::describe::describe;
use crate::dispatcher::{DeliveryId, Event, JobQueue, Screened};
use crate::layout::{FenceFile, Root};
use crate::letter::Refusal;

/// Reads and judges an offer. Reads disks.
pub(super) fn screen(
    tools: &Tools,
    delivery: DeliveryId,
    queue: JobQueue,
    offer: Verified<Offer>,
    trace: Option<TraceParent>,
) -> Event {
    match read(offer.get()) {
        Ok(Ok(body)) => {
            let objection = objection(tools, &body);
            let screened = Screened {
                offer,
                body,
                objection,
                trace,
            };
            Event::Offer(delivery, queue, Box::new(screened))
        }
        Ok(Err(message)) => Event::Unreadable(delivery, Box::new(offer), message),
        Err(refusal) => Event::Refused(delivery, refusal),
    }
}

/// The body; or why this version cannot read it; or why the offer contradicts itself.
fn read(offer: &Offer) -> Result<Result<JobBody, String>, Refusal> {
    let found = Digest::of(offer.body.as_bytes());
    if found != offer.digest {
        let detail = format!(
            "job {}: the body has digest {found}, the offer says {}",
            offer.job, offer.digest
        );
        return Err(Refusal::new("digest_mismatch", detail));
    }
    let body: JobBody = match serde_json::from_str(&offer.body) {
        Ok(body) => body,
        Err(error) => return Ok(Err(format!("the job's body cannot be read: {error}"))),
    };
    if !BODY_VERSIONS.contains(&body.v) || body.v < body.order.version() {
        let message = format!(
            "the job's body has version {}, this agent reads {BODY_VERSIONS:?}, and it asks for what has version {}",
            body.v,
            body.order.version()
        );
        return Ok(Err(message));
    }
    if body.job != offer.job {
        let detail = format!("the offer is of job {}, its body of job {}", offer.job, body.job);
        return Err(Refusal::new("contradiction", detail));
    }
    Ok(Ok(body))
}

fn objection(tools: &Tools, body: &JobBody) -> Option<DeclineReason> {
    let policy = |message: String| Some(DeclineReason::Policy { message });
    match tools.policy() {
        Ok(found) => {
            if let Err(refusal) = found.check(body) {
                return policy(refusal.to_string());
            }
        }
        Err(error) => return policy(describe(&error)),
    }
    if matches!(body.order, Order::Build(_) | Order::CollectWorkshop(_)) && tools.workshop.is_none() {
        return policy("this host has no workshop for builds".to_owned());
    }
    let (placement, root) = place(&body.order)?;
    if !tools.config.allows_root(root) {
        return policy(format!(
            "the root {root} lies below none of agent.roots in this host's configuration; add its folder there"
        ));
    }
    why_closed(tools, placement, root).map(|message| DeclineReason::Closed { message })
}

/// The placement an order works on.
const fn place(order: &Order) -> Option<(PlacementId, &RootPath)> {
    match order {
        Order::Build(_) | Order::CollectWorkshop(_) => None,
        Order::Install(order) => Some((order.placement, &order.root)),
        Order::Activate(order) | Order::Rollback(order) => Some((order.placement, &order.root)),
        Order::Migrate(order) => Some((order.placement, &order.root)),
        Order::CollectGarbage(order) => Some((order.placement, &order.root)),
    }
}

/// What must be put right before anything is executed for a placement. A root that cannot be opened is none of it: the
/// job's own failure says what is wrong with it.
fn why_closed(tools: &Tools, placement: PlacementId, root: &RootPath) -> Option<String> {
    if let Some(survivor) = survivors::closing(tools, placement) {
        return Some(format!(
            "process group {} ({}) of an earlier job does not end; end it by hand",
            survivor.group, survivor.command
        ));
    }
    match Root::open(root).ok()?.fence().ok()? {
        FenceFile::Standing(_) => None,
        FenceFile::Missing => Some(format!("{root} has no fence yet and waits to be adopted")),
        FenceFile::Damaged { reason } => Some(format!(
            "the fence of {root} is damaged ({reason}) and waits to be adopted"
        )),
    }
}
