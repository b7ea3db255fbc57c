//! What a host says lies in one of its roots: stored, compared with what was decided, and adopted where it differs. Of a
//! root that could not be read nothing is concluded: nothing is adopted, and nothing that was known is given up.

use pointsman_domain::placement::{Reported, Stored, read};
use pointsman_shared::ids::Generation;
use pointsman_shared::name::{HostId, SlotName};
use pointsman_shared::wire::from_agent::{FenceState, PlacementState, SlotState};
use pointsman_store::events::NewEvent;
use pointsman_store::placements::{PlacementRow, Report};
use pointsman_store::{Transaction, events, jobs, placements, targets};

use super::{order_collection, supersede_job};
use crate::app::App;
use crate::error::OperationResult;

/// Stores a whole state report. Some generation = the host needs a signed `adopt` to it (no fence, or a damaged one).
pub async fn placement_reported(
    app: &App,
    tx: &mut Transaction,
    host: &HostId,
    state: &PlacementState,
) -> OperationResult<Option<Generation>> {
    let Some(placement) = placements::lock_on(tx, state.placement, host).await? else {
        return Ok(None);
    };
    if let Some(problem) = state.problem.as_ref().filter(|_| state.slots.is_empty()) {
        let at = pointsman_store::now(tx).await?;
        placements::store_unreadable(tx, placement.id, problem, at).await?;
        return Ok(None);
    }
    let slot = current_slot(state);
    if is_outdated(tx, &placement, &slot.fence).await? {
        return Ok(None);
    }
    let stored = stored(tx, &placement).await?;
    let reported = Reported {
        fence: &slot.fence,
        current: slot.current.as_ref(),
        foreign: slot.foreign.as_deref(),
    };
    let reading = read(&stored, reported);
    let at = pointsman_store::now(tx).await?;
    placements::store_report(
        tx,
        &Report {
            state,
            slot: &slot,
            reading: &reading,
            unusable: is_unusable(state),
            at,
        },
    )
    .await?;
    order_collection::still_given_up(tx, placement.id).await?;
    let told = match (&stored.drift, &reading.drift) {
        (before, Some(now)) if before.as_ref() != Some(now) => Some(("placement.drift", now.as_str())),
        (Some(_), None) => Some(("placement.drift_gone", "it is where it was sent again")),
        (Some(_) | None, Some(_) | None) => None,
    };
    if let Some((kind, what)) = told {
        let name = targets::get(tx, placement.target)
            .await?
            .map(|target| target.name.to_string());
        let message = format!("{host}: {what}");
        let event = NewEvent {
            kind,
            target: name.as_deref(),
            host: Some(host.as_str()),
            message,
            ..NewEvent::default()
        };
        events::append(tx, at, &event).await?;
    }
    if reading.generation > stored.generation {
        withdraw_outdated(app, tx, &placement, reading.generation).await?;
    }
    Ok(reading.adopt)
}

/// The one slot of today; a root without it has neither link nor fence.
fn current_slot(state: &PlacementState) -> SlotState {
    let current = SlotName::current();
    let found = state.slots.iter().find(|slot| slot.slot == current);
    found.cloned().unwrap_or(SlotState {
        slot: current,
        fence: FenceState::Missing,
        current: None,
        foreign: None,
    })
}

/// Whether its problem stands in the way of work. A link that names a release which is gone does not: the next switch
/// mends it.
fn is_unusable(state: &PlacementState) -> bool {
    let is_gone = |slot: &SlotState| {
        let named = slot.current.as_ref();
        named.is_some_and(|named| !state.releases.contains(named))
    };
    state.problem.is_some() && !state.slots.iter().any(is_gone)
}

/// Whether the report was made before a switch whose result we know: reports and results overtake each other.
async fn is_outdated(
    tx: &mut Transaction,
    placement: &PlacementRow,
    fence: &FenceState,
) -> OperationResult<bool> {
    let reported = match fence {
        FenceState::Standing { generation, .. } => Some(*generation),
        FenceState::Missing | FenceState::Damaged => None,
    };
    Ok(reported < placement.fence && placements::switched_since_hello(tx, placement.id).await?)
}

async fn stored(tx: &mut Transaction, placement: &PlacementRow) -> OperationResult<Stored> {
    let open = jobs::open_of_placement(tx, placement.id).await?;
    Ok(Stored {
        generation: placement.generation,
        fence: placement.fence,
        current: placement.current.clone(),
        foreign: placements::slot_foreign(tx, placement.id).await?,
        reported: placement.state_at.is_some(),
        drift: placement.drift.clone(),
        open_switch: open
            .iter()
            .find(|job| job.kind.is_switch())
            .and_then(|job| job.generation),
    })
}

/// Switches that were decided below the host's own fence can never take effect there.
async fn withdraw_outdated(
    app: &App,
    tx: &mut Transaction,
    placement: &PlacementRow,
    fence: Generation,
) -> OperationResult<()> {
    for open in jobs::open_of_placement(tx, placement.id).await? {
        if open.generation.is_some_and(|generation| generation <= fence) {
            let reason = format!("{} is already at generation {fence}", placement.host);
            supersede_job::when_idle(app, tx, open.id, &reason).await?;
        }
    }
    Ok(())
}
