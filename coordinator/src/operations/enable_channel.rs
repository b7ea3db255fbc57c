//! Sends nothing to a channel any more, or sends there again. What waited for a channel that is disabled is given up; each
//! delivery can be sent again by hand.

use pointsman_domain::{Action, Actor};
use pointsman_shared::name::ChannelName;
use pointsman_store::{channels, deliveries};

use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// Disables or enables it; one that is so already stays so.
pub async fn execute(app: &App, actor: &Actor, name: &ChannelName, enabled: bool) -> OperationResult<()> {
    let object = format!("channel {name}");
    let action = if enabled {
        "channel.enable"
    } else {
        "channel.disable"
    };
    act::audited(app, actor, action, &object, async {
        actor.authorize(Action::Configure, &object)?;
        let mut tx = app.store.begin().await?;
        let channel = known::channel(&mut tx, name).await?;
        let changed = if enabled {
            channels::enable(&mut tx, channel.id).await?
        } else {
            let now = pointsman_store::now(&mut tx).await?;
            deliveries::give_up(&mut tx, channel.id, now).await?;
            channels::disable(&mut tx, channel.id, &format!("by {}", actor.name), now).await?
        };
        if changed {
            act::done(app, &mut tx, actor, action, &object, serde_json::json!({})).await?;
        }
        act::commit(tx).await
    })
    .await
}
