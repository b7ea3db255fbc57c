//! Sends a delivery that is over once more: the same message, with the same id, with eight tries of its own.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::notifications::Delivery;
use pointsman_shared::ids::DeliveryId;
use pointsman_store::{PgConnection, StoreError, channels, deliveries};

use super::act;
use crate::app::App;
use crate::error::OperationResult;

/// Sends it again.
pub async fn execute(app: &App, actor: &Actor, number: i64) -> OperationResult<Delivery> {
    let object = format!("delivery {number}");
    let delivery = act::audited(app, actor, "delivery.redeliver", &object, async {
        actor.authorize(Action::Configure, &object)?;
        let mut tx = app.store.begin().await?;
        let (id, delivery) = find(&mut tx, number).await?;
        let channel = channels::lock(&mut tx, &delivery.channel).await?;
        if channel.is_none_or(|channel| channel.disabled_at.is_some()) {
            let name = &delivery.channel;
            let refusal = Refusal::conflict("channel_disabled", format!("channel {name} is disabled"));
            return Err(refusal.hint(format!("pointsman channel enable {name}")).into());
        }
        let now = pointsman_store::now(&mut tx).await?;
        if !deliveries::redeliver(&mut tx, id, now).await? {
            let what = format!("delivery {number} is still on its way");
            let refusal = Refusal::conflict("delivery_open", what);
            return Err(refusal.hint(format!("pointsman delivery show {number}")).into());
        }
        let detail = serde_json::json!({ "channel": delivery.channel, "topic": delivery.topic });
        act::done(app, &mut tx, actor, "delivery.redeliver", &object, detail).await?;
        let sent = deliveries::find(&mut tx, number).await?;
        act::commit(tx).await?;
        let vanished = || StoreError::inconsistent("delivery", number, "it vanished while it was changed");
        Ok(sent.ok_or_else(vanished)?.1)
    })
    .await?;
    app.bells.notify.notify_one();
    Ok(delivery)
}

/// The delivery of this number.
pub async fn find(conn: &mut PgConnection, number: i64) -> OperationResult<(DeliveryId, Delivery)> {
    let unknown = || {
        Refusal::not_found("unknown_delivery", format!("there is no delivery {number}"))
            .hint("pointsman delivery ls; what is older than its retention is gone")
    };
    Ok(deliveries::find(conn, number).await?.ok_or_else(unknown)?)
}
