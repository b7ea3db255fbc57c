//! Makes a channel for notifications. What is secret of it is sealed here, before the database sees it; a signing secret is
//! shown once.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::notifications::{IssuedChannel, NewChannel, NewPlace, Place};
use pointsman_shared::ids::ChannelId;
use pointsman_store::StoreError;
use pointsman_store::channels::{self, NewChannelRow};
use rand::TryRng as _;
use rand::rngs::SysRng;
use url::Url;
use zeroize::Zeroizing;

use super::{act, known};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::notify::{self, Part};

/// Receivers of e-mail at most.
const RECEIVERS: usize = 20;
/// Longest address or name of a place, in characters.
const LONGEST: usize = 1_000;

/// Makes a channel.
pub async fn execute(app: &App, actor: &Actor, wish: NewChannel) -> OperationResult<IssuedChannel> {
    let object = format!("channel {}", wish.name);
    act::audited(
        app,
        actor,
        "channel.add",
        &object,
        add(app, actor, &wish, &object),
    )
    .await
}

async fn add(app: &App, actor: &Actor, wish: &NewChannel, object: &str) -> OperationResult<IssuedChannel> {
    actor.authorize(Action::Configure, object)?;
    let id = ChannelId(app.ids.next());
    let Parts {
        place,
        address,
        secret,
    } = parts(app, &wish.to)?;
    let seal = |part, value: Option<&Zeroizing<String>>| {
        value.map(|value| notify::seal(app, id, part, value)).transpose()
    };
    let (sealed_address, sealed_secret) = (
        seal(Part::Address, address.as_ref())?,
        seal(Part::Secret, secret.as_ref())?,
    );
    let mut tx = app.store.begin().await?;
    let project = match &wish.project {
        Some(name) => Some(known::project(&mut tx, name).await?.id),
        None => None,
    };
    let row = NewChannelRow {
        id,
        name: &wish.name,
        project,
        place: &place,
        address: sealed_address.as_ref(),
        secret: sealed_secret.as_ref(),
        by: actor.principal,
        at: pointsman_store::now(&mut tx).await?,
    };
    if !channels::insert(&mut tx, &row).await? {
        let what = format!("there is a channel {} already", wish.name);
        return Err(Refusal::conflict("channel_exists", what)
            .hint(format!("pointsman channel show {}", wish.name))
            .into());
    }
    let detail = serde_json::json!({ "to": place, "project": wish.project });
    act::done(app, &mut tx, actor, "channel.add", object, detail).await?;
    let made = channels::list(&mut tx, Some(&wish.name), None, 1).await?;
    act::commit(tx).await?;
    let channel = made.into_iter().next();
    let channel =
        channel.ok_or_else(|| StoreError::inconsistent("channel", id, "it vanished while it was made"))?;
    Ok(IssuedChannel {
        channel,
        secret: secret.map(|secret| secret.to_string()),
    })
}

/// What is stored of a place: what may be shown, and what is sealed.
struct Parts {
    place: Place,
    address: Option<Zeroizing<String>>,
    secret: Option<Zeroizing<String>>,
}

fn parts(app: &App, wish: &NewPlace) -> OperationResult<Parts> {
    Ok(match wish {
        NewPlace::Webhook { url, secret } => {
            let url = address(app, url)?;
            let secret = match secret {
                Some(secret) => {
                    notify::check_secret(secret)?;
                    Zeroizing::new(secret.clone())
                }
                None => draw()?,
            };
            Parts {
                place: Place::Webhook { server: server(&url) },
                address: Some(Zeroizing::new(url.to_string())),
                secret: Some(secret),
            }
        }
        NewPlace::Slack { url } => {
            let url = address(app, url)?;
            Parts {
                place: Place::Slack { server: server(&url) },
                address: Some(Zeroizing::new(url.to_string())),
                secret: None,
            }
        }
        NewPlace::SlackBot { channel, token } => {
            check_text("channel", channel)?;
            check_text("token", token)?;
            Parts {
                place: Place::SlackBot {
                    channel: channel.clone(),
                },
                address: Some(Zeroizing::new(token.clone())),
                secret: None,
            }
        }
        NewPlace::Email { to } => {
            check_receivers(app, to)?;
            Parts {
                place: Place::Email { to: to.clone() },
                address: None,
                secret: None,
            }
        }
    })
}

/// A new signing secret.
pub(super) fn draw() -> OperationResult<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    SysRng
        .try_fill_bytes(bytes.as_mut())
        .map_err(|error| OperationError::internal("drawing a secret", error))?;
    Ok(notify::secret(bytes.as_ref()))
}

/// Reads an address, and refuses one that the configuration does not allow. It may be a secret: no refusal repeats it.
pub(super) fn address(app: &App, text: &str) -> Result<Url, Refusal> {
    if text.len() > LONGEST {
        return Err(Refusal::invalid(
            "invalid_address",
            format!("an address has at most {LONGEST} characters"),
        ));
    }
    let url: Url = text
        .parse()
        .map_err(|error| Refusal::invalid("invalid_address", format!("it is no address: {error}")))?;
    match notify::objection(&app.config.notify, &url) {
        Some(why) => Err(Refusal::invalid(
            "address_not_allowed",
            format!("{} may not be called: {why}", server(&url)),
        )
        .hint("notify.hosts of the coordinator's configuration names servers that may be reached")),
        None => Ok(url),
    }
}

/// The server of an address.
pub(super) fn server(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Refuses what cannot stand in a header.
pub(super) fn check_text(what: &str, text: &str) -> Result<(), Refusal> {
    let plain = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
    if plain {
        return Ok(());
    }
    let what =
        format!("the {what} is empty, longer than {LONGEST} characters, or holds other than printable ASCII");
    Err(Refusal::invalid("invalid_place", what))
}

fn check_receivers(app: &App, to: &[String]) -> Result<(), Refusal> {
    if app.config.notify.smtp.is_none() {
        return Err(
            Refusal::conflict("no_mail_server", "this coordinator knows no mail server")
                .hint("set notify.smtp in its configuration"),
        );
    }
    if to.is_empty() || to.len() > RECEIVERS {
        return Err(Refusal::invalid(
            "invalid_place",
            format!("e-mail goes to 1 to {RECEIVERS} addresses"),
        ));
    }
    match to.iter().find(|address| !notify::is_mailbox(address)) {
        Some(wrong) => Err(Refusal::invalid(
            "invalid_place",
            format!("{wrong:?} is no e-mail address"),
        )),
        None => Ok(()),
    }
}
