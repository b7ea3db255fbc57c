//! `channel add | ls | show | test | rotate | enable | disable | remove`

use std::time::Duration;

use pointsman_shared::api::notifications::{
    Channel, Delivery, DeliveryState, IssuedChannel, NewChannel, NewPlace, NewSecret,
};
use pointsman_shared::name::ChannelName;

use super::listing;
use crate::args::{AddChannel, ChannelCommand, PlaceArgs, RotateChannel};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::prompt;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;

/// How often, and how long apart, a test's delivery is looked at.
const LOOKS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the command.
pub async fn channel(session: &Session, command: ChannelCommand) -> Result<Exit, CliError> {
    match command {
        ChannelCommand::Add(args) => add(session, args).await,
        ChannelCommand::Ls(rows) => {
            let channels = session.client()?.channels(rows.most()).await?;
            let empty = "no channels yet; pointsman channel add NAME --webhook URL";
            listing::show(session, &channels, &table(&channels.items), empty)
        }
        ChannelCommand::Show(args) => {
            let channel = session.client()?.channel(&args.channel).await?;
            session.printer.show_fields(&channel, &fields(&channel))?;
            Ok(Exit::Ok)
        }
        ChannelCommand::Test(args) => test(session, &args.channel).await,
        ChannelCommand::Rotate(args) => rotate(session, args).await,
        ChannelCommand::Disable(args) => enable(session, &args.channel, false).await,
        ChannelCommand::Enable(args) => enable(session, &args.channel, true).await,
        ChannelCommand::Remove(args) => remove(session, &args.channel).await,
    }
}

/// A webhook's secret stands alone on stdout; it is shown this once.
async fn add(session: &Session, args: AddChannel) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let name = args.channel;
    let to = place(session, args.place, args.with_secret)?;
    let wish = NewChannel {
        name: name.clone(),
        project: args.project,
        to,
    };
    let made = session.client()?.add_channel(&wish).await?;
    let printer = &session.printer;
    let kind = words(&made.channel);
    printer.say(
        Tone::Good,
        "Added",
        &format!("channel {name}: {kind} {}", made.channel.to),
    );
    if made.secret.is_some() && !args.with_secret {
        printer.note("its secret is not shown again; the receiver checks signatures with it");
    }
    printer.note(&format!("nothing goes there yet: pointsman rule add {name}"));
    printer.undo(&format!("pointsman channel remove {name}"));
    show_secret(session, &made, args.with_secret)
}

fn show_secret(session: &Session, made: &IssuedChannel, known: bool) -> Result<Exit, CliError> {
    match &made.secret {
        Some(secret) if !known => session.printer.show_value(made, secret)?,
        Some(_) | None => {
            let channels = std::slice::from_ref(&made.channel);
            session.printer.show(channels, &table(channels))?;
        }
    }
    Ok(Exit::Ok)
}

/// What is secret comes over stdin: an argument could be seen by others.
fn place(session: &Session, args: PlaceArgs, with_secret: bool) -> Result<NewPlace, CliError> {
    let PlaceArgs {
        webhook,
        slack,
        slack_bot,
        email,
    } = args;
    let secret = |what: &str, how: &str| prompt::secret(session, what, how);
    if let Some(url) = webhook {
        let how = "pointsman channel add NAME --webhook URL --with-secret < file";
        let secret = with_secret.then(|| secret("Secret", how)).transpose()?;
        return Ok(NewPlace::Webhook {
            url: url.into(),
            secret,
        });
    }
    if slack {
        let how = "pointsman channel add NAME --slack < file";
        let typed = secret("Address", how)?;
        let url: Result<url::Url, _> = typed.trim().parse();
        let url = url.map_err(|error| CliError::usage(format!("stdin holds no address: {error}"), how))?;
        return Ok(NewPlace::Slack { url: url.into() });
    }
    if let Some(channel) = slack_bot {
        let token = secret("Token", "pointsman channel add NAME --slack-bot CHANNEL < file")?;
        return Ok(NewPlace::SlackBot { channel, token });
    }
    Ok(NewPlace::Email { to: email })
}

async fn rotate(session: &Session, args: RotateChannel) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let (client, name) = (session.client()?, &args.channel);
    let how = format!("pointsman channel rotate {name} --with-secret < file");
    let given = args.with_secret.then(|| prompt::secret(session, "Secret", &how));
    let wish = NewSecret {
        secret: given.transpose()?,
        both_s: Some(u32::try_from(args.both.as_secs()).unwrap_or(u32::MAX)),
    };
    let made = client.rotate_channel(name, &wish).await?;
    let printer = &session.printer;
    printer.say(Tone::Good, "Rotated", &format!("the secret of channel {name}"));
    if made.secret.is_some() {
        let both = text::duration(args.both);
        printer.note(&format!(
            "the one before signs as well for {both}; give the receiver the new one by then"
        ));
    }
    printer.undo("none: what it was before is not told");
    show_secret(session, &made, args.with_secret)
}

async fn enable(session: &Session, name: &ChannelName, enabled: bool) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let channel = session.client()?.enable_channel(name, enabled).await?;
    let (verb, inverse) = if enabled {
        ("Enabled", "disable")
    } else {
        ("Disabled", "enable")
    };
    let printer = &session.printer;
    printer.say(Tone::Good, verb, &format!("channel {name}"));
    if enabled {
        printer.note(&format!(
            "what was given up meanwhile: pointsman delivery ls --channel {name} --state failed"
        ));
    }
    printer.undo(&format!("pointsman channel {inverse} {name}"));
    let channels = [channel];
    printer.show(&channels, &table(&channels))?;
    Ok(Exit::Ok)
}

async fn remove(session: &Session, name: &ChannelName) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let client = session.client()?;
    let channel = client.channel(name).await?;
    let rules = usize::try_from(channel.rules).unwrap_or(usize::MAX);
    let question = format!(
        "Remove channel {name} with {} and the log of its deliveries?",
        text::counted(rules, "rule")
    );
    prompt::confirm(session, &question)?;
    client.remove_channel(name).await?;
    let printer = &session.printer;
    printer.say(Tone::Good, "Removed", &format!("channel {name}"));
    printer.undo("none: what is secret of it was not told; pointsman channel add NAME makes a new one");
    Ok(Exit::Ok)
}

/// Sends a test and waits for its first answer.
async fn test(session: &Session, name: &ChannelName) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let client = session.client()?;
    let number = client.test_channel(name).await?.number;
    let delivery = first_answer(&client, number).await?;
    let printer = &session.printer;
    let error = delivery.last_error.as_deref();
    let (exit, tone, verb, sentence) = match (delivery.state, error) {
        (DeliveryState::Delivered, _) => (
            Exit::Ok,
            Tone::Good,
            "Delivered",
            format!("a test to channel {name}"),
        ),
        (DeliveryState::Waiting, None) => (
            Exit::TimedOut,
            Tone::Warning,
            "Waits",
            format!("the test to channel {name}: does a coordinator run the role notify?"),
        ),
        (DeliveryState::Waiting | DeliveryState::Failed | DeliveryState::Superseded, error) => (
            Exit::Failed,
            Tone::Bad,
            "Failed",
            format!(
                "the test to channel {name}: {}",
                error.unwrap_or("it was given up")
            ),
        ),
    };
    printer.say(tone, verb, &sentence);
    printer.note(&format!("pointsman delivery show {number}"));
    let deliveries = [delivery];
    printer.show(&deliveries, &super::delivery::table(&deliveries))?;
    Ok(exit)
}

async fn first_answer(client: &Client, number: i64) -> Result<Delivery, CliError> {
    let mut looks = 0;
    loop {
        let delivery = client.delivery(number).await?.delivery;
        looks += 1;
        let answered = delivery.state != DeliveryState::Waiting || delivery.last_error.is_some();
        if answered || looks == LOOKS {
            return Ok(delivery);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Its kind, for people.
fn words(channel: &Channel) -> &'static str {
    match channel.to.kind() {
        "slack_bot" => "slack bot",
        "email" => "e-mail",
        kind => kind,
    }
}

fn state(channel: &Channel) -> Cell {
    match (channel.disabled_at, channel.failing_since) {
        (Some(_), _) => Cell::Toned(Tone::Faint, "disabled".to_owned()),
        (None, Some(_)) => Cell::Toned(Tone::Bad, "failing".to_owned()),
        (None, None) => Cell::Toned(Tone::Good, "ok".to_owned()),
    }
}

fn table(channels: &[Channel]) -> Table {
    let mut table = Table::new([
        ("CHANNEL", Narrow::Keep),
        ("KIND", Narrow::Keep),
        ("TO", Narrow::Cut(12)),
        ("PROJECT", Narrow::Drop(2)),
        ("STATE", Narrow::Keep),
        ("RULES", Narrow::Drop(3)),
        ("WAITING", Narrow::Drop(1)),
    ]);
    for channel in channels {
        table.row([
            channel.name.as_str().into(),
            words(channel).into(),
            Cell::Text(channel.to.to_string()),
            Cell::maybe(channel.project.as_ref()),
            state(channel),
            Cell::Number(channel.rules),
            Cell::Number(channel.waiting),
        ]);
    }
    table
}

fn fields(channel: &Channel) -> Vec<(&'static str, Cell)> {
    vec![
        ("channel", channel.name.as_str().into()),
        ("kind", words(channel).into()),
        ("to", Cell::Text(channel.to.to_string())),
        ("project", Cell::maybe(channel.project.as_ref())),
        ("state", state(channel)),
        (
            "why",
            Cell::maybe(channel.disabled_why.as_ref().or(channel.last_error.as_ref())),
        ),
        ("since", Cell::when(channel.disabled_at.or(channel.failing_since))),
        ("both secrets until", Cell::when(channel.both_secrets_until)),
        ("rules", Cell::Number(channel.rules)),
        ("waiting", Cell::Number(channel.waiting)),
        ("made by", channel.created_by.as_str().into()),
        ("made", Cell::At(channel.created_at)),
    ]
}
