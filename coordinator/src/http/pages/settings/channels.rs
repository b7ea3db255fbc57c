//! Channels and rules: where notifications go, and which. Addresses and secrets are told nobody after they were given.

use askama::Template;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::notifications::{Channel, NewChannel, NewPlace, NewRule, NewSecret, Rule};
use pointsman_shared::name::{ChannelName, EnvironmentName, ProjectName};
use pointsman_store::{channels, notification_rules, projects};
use serde::{Deserialize, Serialize};

use super::super::super::extract::{Form, filled};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::format::Standing;
use super::super::once::Once;
use super::super::shown::{Mood, Place, Shown, Went};
use super::super::viewer::Viewer;
use super::tabs::{Part, page};
use crate::operations::{
    add_channel, add_rule as adding, enable_channel, remove_channel, remove_rule as removing, rotate_channel,
    test_channel,
};

/// Rows of each list at most.
const MOST: i64 = 500;

#[derive(Template)]
#[template(path = "settings/channels.html")]
struct List<'a> {
    rows: Vec<(&'a Channel, Standing)>,
    rules: &'a [Rule],
    projects: Vec<ProjectName>,
    proof: &'a str,
    may: bool,
}

#[derive(Serialize)]
struct Data<'a> {
    channels: &'a [Channel],
    rules: &'a [Rule],
}

/// `GET /settings/channels`
pub(super) async fn list(viewer: Viewer) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let all = channels::list(&mut conn, None, None, MOST).await?;
    let rules = notification_rules::list(&mut conn, None, 0, MOST).await?;
    let list = List {
        rows: all.iter().map(|channel| (channel, standing(channel))).collect(),
        rules: &rules,
        projects: projects::all_names(&mut conn).await?,
        proof: &viewer.proof,
        may: viewer.may(Action::Configure),
    };
    let ill = all.iter().any(|channel| channel.failing_since.is_some());
    let data = Data {
        channels: &all,
        rules: &rules,
    };
    Ok(page(&viewer, Part::Channels, &data)?
        .with("channels", &list)?
        .in_mood(if ill { Mood::Bad } else { Mood::Quiet })
        .like("pointsman channel ls"))
}

const fn standing(channel: &Channel) -> Standing {
    let (sign, word, tone) = if channel.disabled_at.is_some() {
        ("–", "disabled", "unknown")
    } else if channel.failing_since.is_some() {
        ("✕", "failing", "bad")
    } else {
        ("✓", "enabled", "ok")
    };
    Standing { sign, word, tone }
}

/// A channel as the form has it: one field serves every kind of place.
#[derive(Debug, Deserialize)]
pub(super) struct Add {
    name: ChannelName,
    #[serde(default, deserialize_with = "filled")]
    project: Option<ProjectName>,
    kind: String,
    #[serde(default)]
    place: String,
    #[serde(default, deserialize_with = "filled")]
    secret: Option<String>,
}

impl Add {
    fn place(&mut self) -> Answer<NewPlace> {
        let place = self.place.trim().to_owned();
        let secret = self.secret.take();
        Ok(match self.kind.as_str() {
            "webhook" => NewPlace::Webhook { url: place, secret },
            "slack" => NewPlace::Slack { url: place },
            "slack_bot" => NewPlace::SlackBot {
                channel: place,
                token: secret.unwrap_or_default(),
            },
            "email" => NewPlace::Email { to: words(&place) },
            other => {
                let what = format!("{other:?} is no kind of channel");
                return Err(Refusal::invalid("invalid_body", what)
                    .hint("webhook, slack, slack_bot or email")
                    .into());
            }
        })
    }
}

fn words(text: &str) -> Vec<String> {
    let words = text.split([' ', ',', ';', '\n', '\r', '\t']);
    words
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// `POST /settings/channels/add`; shows the secret of a webhook once.
pub(super) async fn add(viewer: Viewer, Form(mut form): Form<Add>) -> Answer<Shown> {
    let wish = NewChannel {
        to: form.place()?,
        name: form.name,
        project: form.project,
    };
    let made = add_channel::execute(viewer.app(), &viewer.caller.actor, wish).await?;
    secret_of(&made.channel, made.secret)
}

fn secret_of(channel: &Channel, secret: Option<String>) -> Answer<Shown> {
    let name = &channel.name;
    let what = if secret.is_some() {
        "The receiver checks every request with this secret (Standard Webhooks). Try the channel out next."
    } else {
        "It has no secret that you would need. Try it out next, and give it a rule: without one it is told nothing."
    };
    let once = Once {
        title: format!("Channel {name} to {}", channel.to),
        what: what.to_owned(),
        lines: secret
            .map(|secret| ("The signing secret", secret))
            .into_iter()
            .collect(),
        until: None,
        way_back: "Removing or disabling it is on the page of the channels.",
        back: "/settings/channels",
    };
    once.page(Place::Settings)
}

/// What is done with a channel.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Deed {
    Test,
    Enable,
    Disable,
    Remove,
}

/// Which, and what.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    channel: ChannelName,
    deed: Deed,
}

/// `POST /settings/channels/change`
pub(super) async fn change(viewer: Viewer, Form(form): Form<Change>) -> Answer<Went> {
    let (app, actor, name) = (viewer.app(), &viewer.caller.actor, &form.channel);
    let done = match form.deed {
        Deed::Test => {
            let delivery = test_channel::execute(app, actor, name).await?;
            return Ok(Went(format!("/settings/deliveries/{}", delivery.number)));
        }
        Deed::Enable => {
            enable_channel::execute(app, actor, name, true).await?;
            Done::ChannelEnabled
        }
        Deed::Disable => {
            enable_channel::execute(app, actor, name, false).await?;
            Done::ChannelDisabled
        }
        Deed::Remove => {
            remove_channel::execute(app, actor, name).await?;
            Done::ChannelRemoved
        }
    };
    Ok(Went::telling("/settings/channels", done))
}

/// Another secret, or another address where that is the secret.
#[derive(Debug, Deserialize)]
pub(super) struct Rotate {
    channel: ChannelName,
    #[serde(default, deserialize_with = "filled")]
    secret: Option<String>,
}

/// `POST /settings/channels/rotate`; the one page that shows the new secret.
pub(super) async fn rotate(viewer: Viewer, Form(form): Form<Rotate>) -> Answer<Shown> {
    let wish = NewSecret {
        secret: form.secret,
        both_s: None,
    };
    let rotated = rotate_channel::execute(viewer.app(), &viewer.caller.actor, &form.channel, wish).await?;
    secret_of(&rotated.channel, rotated.secret)
}

/// What a channel is told.
#[derive(Debug, Deserialize)]
pub(super) struct AddRule {
    channel: ChannelName,
    #[serde(default, deserialize_with = "filled")]
    project: Option<ProjectName>,
    #[serde(default)]
    environments: String,
    #[serde(default)]
    events: String,
}

/// `POST /settings/rules/add`
pub(super) async fn add_rule(viewer: Viewer, Form(form): Form<AddRule>) -> Answer<Went> {
    let environment = |word: String| {
        word.parse::<EnvironmentName>().map_err(|error| {
            let what = format!("{word:?} is no environment: {error}");
            Refusal::invalid("invalid_rule", what).hint("Settings, Environments lists them")
        })
    };
    let wish = NewRule {
        channel: form.channel,
        project: form.project,
        environments: words(&form.environments)
            .into_iter()
            .map(environment)
            .collect::<Result<_, _>>()?,
        events: words(&form.events),
    };
    adding::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(Went::telling("/settings/channels", Done::Rule))
}

/// Which rule.
#[derive(Debug, Deserialize)]
pub(super) struct OneRule {
    rule: i64,
}

/// `POST /settings/rules/remove`
pub(super) async fn remove_rule(viewer: Viewer, Form(form): Form<OneRule>) -> Answer<Went> {
    removing::execute(viewer.app(), &viewer.caller.actor, form.rule).await?;
    Ok(Went::telling("/settings/channels", Done::RuleRemoved))
}
