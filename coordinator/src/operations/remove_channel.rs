//! Removes a channel with its rules, its secret and the log of its deliveries.

use pointsman_domain::{Action, Actor};
use pointsman_shared::name::ChannelName;
use pointsman_store::channels;

use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// Removes it.
pub async fn execute(app: &App, actor: &Actor, name: &ChannelName) -> OperationResult<()> {
    let object = format!("channel {name}");
    act::audited(app, actor, "channel.remove", &object, async {
        actor.authorize(Action::Configure, &object)?;
        let mut tx = app.store.begin().await?;
        let channel = known::channel(&mut tx, name).await?;
        channels::remove(&mut tx, channel.id).await?;
        let detail = serde_json::json!({ "to": channel.place });
        act::done(app, &mut tx, actor, "channel.remove", &object, detail).await?;
        act::commit(tx).await
    })
    .await
}
