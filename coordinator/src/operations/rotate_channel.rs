//! Gives a channel another secret. A webhook's old one signs as well for a while, so that receivers can change at their own
//! time; a bot's token, or the address of an incoming webhook, is simply another from now on.

use chrono::TimeDelta;
use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::notifications::{IssuedChannel, NewSecret, Place};
use pointsman_shared::name::ChannelName;
use pointsman_store::channels::{self, ChannelRow};
use pointsman_store::{StoreError, Transaction};
use zeroize::Zeroizing;

use super::add_channel::{address, check_text, draw, server};
use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;
use crate::notify::{self, Part};

/// How long both secrets sign when the wish says nothing, in seconds.
const BOTH_S: u32 = 86_400;
/// How long they sign at most: 30 days.
const MOST_S: u32 = 30 * 86_400;

/// Rotates the secret.
pub async fn execute(
    app: &App,
    actor: &Actor,
    name: &ChannelName,
    wish: NewSecret,
) -> OperationResult<IssuedChannel> {
    let object = format!("channel {name}");
    act::audited(app, actor, "channel.rotate", &object, async {
        actor.authorize(Action::Configure, &object)?;
        let mut tx = app.store.begin().await?;
        let channel = known::channel(&mut tx, name).await?;
        let secret = rotate(app, &mut tx, &channel, &wish).await?;
        let detail = serde_json::json!({ "both_s": wish.both_s.unwrap_or(BOTH_S) });
        act::done(app, &mut tx, actor, "channel.rotate", &object, detail).await?;
        let shown = channels::list(&mut tx, Some(name), None, 1).await?;
        act::commit(tx).await?;
        let shown = shown.into_iter().next();
        let channel = shown.ok_or_else(|| {
            StoreError::inconsistent("channel", channel.id, "it vanished while it was locked")
        })?;
        Ok(IssuedChannel {
            channel,
            secret: secret.map(|secret| secret.to_string()),
        })
    })
    .await
}

/// Returns the secret that signs from now on, where one does.
async fn rotate(
    app: &App,
    tx: &mut Transaction,
    channel: &ChannelRow,
    wish: &NewSecret,
) -> OperationResult<Option<Zeroizing<String>>> {
    match &channel.place {
        Place::Webhook { .. } => {
            let secret = match &wish.secret {
                Some(secret) => {
                    notify::check_secret(secret)?;
                    Zeroizing::new(secret.clone())
                }
                None => draw()?,
            };
            let both_s = wish.both_s.unwrap_or(BOTH_S);
            if both_s > MOST_S {
                let refusal = Refusal::invalid("invalid_time", "two secrets sign for at most 30 days");
                return Err(refusal.into());
            }
            let sealed = notify::seal(app, channel.id, Part::Secret, &secret)?;
            let until = pointsman_store::now(tx).await? + TimeDelta::seconds(both_s.into());
            channels::rotate_secret(tx, channel.id, &sealed, until).await?;
            Ok(Some(secret))
        }
        Place::Slack { .. } => {
            let url = address(app, given(wish, "the new address")?)?;
            let place = Place::Slack { server: server(&url) };
            let sealed = notify::seal(app, channel.id, Part::Address, url.as_str())?;
            channels::set_address(tx, channel.id, &sealed, &place).await?;
            Ok(None)
        }
        Place::SlackBot { .. } => {
            let token = given(wish, "the new token")?;
            check_text("token", token)?;
            let sealed = notify::seal(app, channel.id, Part::Address, token)?;
            channels::set_address(tx, channel.id, &sealed, &channel.place).await?;
            Ok(None)
        }
        Place::Email { .. } => {
            let what = format!("channel {} has no secret", channel.name);
            Err(Refusal::conflict("no_secret", what).into())
        }
    }
}

fn given<'a>(wish: &'a NewSecret, what: &str) -> Result<&'a str, Refusal> {
    let missing = || Refusal::invalid("secret_missing", format!("{what} is missing"));
    wish.secret.as_deref().ok_or_else(missing)
}
