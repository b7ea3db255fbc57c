//! Sends a test through a channel, on the way that everything else takes.

use pointsman_domain::notify::{Bearing, Topic, turn};
use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::notifications::{Delivery, Notice};
use pointsman_shared::ids::DeliveryId;
use pointsman_shared::name::ChannelName;
use pointsman_store::StoreError;
use pointsman_store::deliveries::{self, NewDelivery};

use super::{act, collect_notifications, known};
use crate::app::App;
use crate::error::OperationResult;

/// Puts a test; the role `notify` sends it.
pub async fn execute(app: &App, actor: &Actor, name: &ChannelName) -> OperationResult<Delivery> {
    let object = format!("channel {name}");
    let delivery = act::audited(app, actor, "channel.test", &object, async {
        actor.authorize(Action::Configure, &object)?;
        let mut tx = app.store.begin().await?;
        let channel = known::channel(&mut tx, name).await?;
        if channel.disabled_at.is_some() {
            let refusal = Refusal::conflict("channel_disabled", format!("channel {name} is disabled"));
            return Err(refusal.hint(format!("pointsman channel enable {name}")).into());
        }
        let now = pointsman_store::now(&mut tx).await?;
        let topic = Topic::Test;
        let notice = Notice {
            topic: topic.as_str().to_owned(),
            turn: turn(Bearing::None, false),
            at: now,
            cursor: None,
            installation: app.config.installation.name.clone(),
            project: None,
            environment: None,
            target: None,
            deployment: None,
            job: None,
            host: None,
            message: format!("a test of channel {name}, asked for by {}", actor.name),
            url: collect_notifications::page_of(app, None, None, None, None),
        };
        let put = NewDelivery {
            id: DeliveryId(app.ids.next()),
            channel: channel.id,
            thread: None,
            notice: &notice,
            at: now,
        };
        let vanished = || StoreError::inconsistent("delivery", put.id, "it vanished while it was made");
        let number = deliveries::put(&mut tx, &put).await?.ok_or_else(vanished)?;
        let (_, delivery) = deliveries::find(&mut tx, number).await?.ok_or_else(vanished)?;
        let detail = serde_json::json!({ "delivery": number });
        act::done(app, &mut tx, actor, "channel.test", &object, detail).await?;
        act::commit(tx).await?;
        Ok(delivery)
    })
    .await?;
    app.bells.notify.notify_one();
    Ok(delivery)
}
