//! Reads what could not be delivered: an offer that came back is offered again, a few times; anything else was counted
//! where it was refused and is let go here.

use pointsman_shared::wire::{Envelope, ToAgent};
use pointsman_store::signing_keys;

use super::incoming::Taken;
use crate::app::App;
use crate::error::OperationResult;
use crate::operations::return_offer;

/// Takes a dead letter.
pub async fn take(app: &App, bytes: &[u8]) -> OperationResult<Taken> {
    let done = Taken::Done(Vec::new());
    let Ok(envelope) = Envelope::from_bytes(bytes) else {
        return Ok(done);
    };
    let keys = signing_keys::key_set(&mut *app.store.read().await?).await?;
    let Ok(message) = envelope.verify::<ToAgent>(&keys) else {
        return Ok(done);
    };
    if let ToAgent::Offer(offer) = message.get() {
        return_offer::execute(app, offer.job, offer.epoch).await?;
    }
    Ok(done)
}
