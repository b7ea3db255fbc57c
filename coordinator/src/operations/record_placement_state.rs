//! Takes the pages of what lies in a host's roots; a whole state goes to [`super::record_placement`], and where that
//! asks for it, a signed `adopt` goes out.
//!
//! The adopt goes through the outbox: nothing else would repeat it, and a placement without a fence stays closed.

use chrono::{DateTime, Utc};
use pointsman_domain::presence::milliseconds;
use pointsman_shared::ids::Generation;
use pointsman_shared::name::{HostId, SlotName};
use pointsman_shared::wire;
use pointsman_shared::wire::Nonce;
use pointsman_shared::wire::from_agent::PlacementState;
use pointsman_shared::wire::to_agent::Adopt;
use pointsman_store::events::NewEvent;
use pointsman_store::{StoreError, Transaction, events, hosts, outbox, placement_pages};

use super::{act, record_placement};
use crate::app::App;
use crate::error::OperationResult;

/// Takes one page. It counts once the hello it belongs to was welcomed; one that overtook its hello waits for it.
pub async fn execute(app: &App, page: &PlacementState) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    let host = hosts::lock(&mut tx, &page.host)
        .await?
        .ok_or_else(|| StoreError::inconsistent("host", &page.host, "it signed and does not exist"))?;
    let new = placement_pages::add(&mut tx, page).await?;
    if new && host.hello_nonce.as_ref() == Some(&page.nonce) && host.instance == Some(page.instance) {
        let whole = placement_pages::whole(&mut tx, &page.host, &page.nonce).await?;
        if let Some(state) = whole.iter().find(|state| state.placement == page.placement) {
            record(app, &mut tx, state, now).await?;
        }
        placement_pages::settle_digest(&mut tx, &page.host, &page.nonce).await?;
    }
    act::commit(tx).await?;
    app.bells.ring();
    Ok(())
}

/// Records the states that overtook their hello, in the hello's own transaction.
pub async fn record_early(
    app: &App,
    tx: &mut Transaction,
    host: &HostId,
    nonce: &Nonce,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    for state in placement_pages::whole(tx, host, nonce).await? {
        record(app, tx, &state, now).await?;
    }
    placement_pages::settle_digest(tx, host, nonce).await?;
    Ok(())
}

async fn record(
    app: &App,
    tx: &mut Transaction,
    state: &PlacementState,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let known = placement_pages::known(tx, &state.host).await?;
    if !known.iter().any(|known| known.placement == state.placement) {
        let event = NewEvent {
            kind: "placement.unknown",
            host: Some(state.host.as_str()),
            message: format!(
                "{} keeps {}, which is no placement any more",
                state.host, state.root
            ),
            ..NewEvent::default()
        };
        events::append(tx, now, &event).await?;
        return Ok(());
    }
    if let Some(generation) = record_placement::placement_reported(app, tx, &state.host, state).await? {
        adopt(app, tx, state, generation, now).await?;
    }
    Ok(())
}

async fn adopt(
    app: &App,
    tx: &mut Transaction,
    state: &PlacementState,
    generation: Generation,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let mut slots: Vec<SlotName> = state.slots.iter().map(|slot| slot.slot.clone()).collect();
    if slots.is_empty() {
        slots.push(SlotName::current());
    }
    let expires_at = now + milliseconds(app.config.timing.start_deadline_ms);
    let adopt = Adopt {
        v: wire::VERSION,
        host: state.host.clone(),
        instance: state.instance,
        placement: state.placement,
        root: state.root.clone(),
        slots,
        generation,
        answers: Some(state.nonce.clone()),
        // The relay gives it the next serial when it signs.
        serial: 0,
        expires_at: expires_at.timestamp_millis(),
    };
    outbox::put_adopt(tx, &adopt, now, expires_at).await?;
    Ok(())
}
