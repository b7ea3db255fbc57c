//! Channels, rules and deliveries; every delivery but those to `broken` is taken at once.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use pointsman_shared::api::Page;
use pointsman_shared::api::notifications::{
    Channel, Delivery, DeliveryLog, DeliveryState, DeliveryTry, EnableChannel, IssuedChannel, NewChannel,
    NewPlace, NewRule, NewSecret, Place, Rule,
};

use super::Shared;
use super::reads::page;
use super::refusals::{Refusal, unknown};
use super::world::{JUST_NOW, World, ago, name};

/// The secret of every webhook.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/channels", get(channels).post(add))
        .route("/channels/{name}", get(channel).delete(remove))
        .route("/channels/{name}/enabled", put(enable))
        .route("/channels/{name}/secret", post(rotate))
        .route("/channels/{name}/test", post(test))
        .route("/rules", get(rules).post(add_rule))
        .route("/rules/{number}", delete(remove_rule))
        .route("/deliveries", get(deliveries))
        .route("/deliveries/{number}", get(delivery))
        .route("/deliveries/{number}/redeliver", post(redeliver))
}

type Parameters = Query<HashMap<String, String>>;

async fn channels(State(shared): State<Shared>, query: Parameters) -> Json<Page<Channel>> {
    page(&shared.world().channels, &query)
}

fn found<'a>(world: &'a mut World, name: &str) -> Result<&'a mut Channel, Refusal> {
    let mut known = world.channels.iter_mut();
    let channel = known.find(|channel| channel.name.as_str() == name);
    channel.ok_or_else(|| unknown("channel", name, Some("ops")))
}

async fn channel(State(shared): State<Shared>, Path(name): Path<String>) -> Result<Json<Channel>, Refusal> {
    Ok(Json(found(&mut shared.world(), &name)?.clone()))
}

fn server(url: &str) -> String {
    url.parse::<url::Url>().unwrap().origin().ascii_serialization()
}

async fn add(State(shared): State<Shared>, Json(wish): Json<NewChannel>) -> Json<IssuedChannel> {
    let (to, secret) = match wish.to {
        NewPlace::Webhook { url, .. } => (Place::Webhook { server: server(&url) }, Some(SECRET.to_owned())),
        NewPlace::Slack { url } => (Place::Slack { server: server(&url) }, None),
        NewPlace::SlackBot { channel, token } => {
            assert_eq!(token, "xoxb-secret");
            (Place::SlackBot { channel }, None)
        }
        NewPlace::Email { to } => (Place::Email { to }, None),
    };
    let channel = Channel {
        name: wish.name,
        project: wish.project,
        to,
        created_by: "lucy".to_owned(),
        created_at: ago(JUST_NOW),
        both_secrets_until: None,
        disabled_at: None,
        disabled_why: None,
        failing_since: None,
        last_error: None,
        waiting: 0,
        rules: 0,
    };
    shared.world().channels.push(channel.clone());
    Json(IssuedChannel { channel, secret })
}

async fn remove(State(shared): State<Shared>, Path(name): Path<String>) -> Result<(), Refusal> {
    let mut world = shared.world();
    found(&mut world, &name)?;
    world.channels.retain(|channel| channel.name.as_str() != name);
    Ok(())
}

async fn enable(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(wish): Json<EnableChannel>,
) -> Result<Json<Channel>, Refusal> {
    let mut world = shared.world();
    let channel = found(&mut world, &name)?;
    channel.disabled_at = (!wish.enabled).then(|| ago(JUST_NOW));
    channel.disabled_why = (!wish.enabled).then(|| "by lucy".to_owned());
    Ok(Json(channel.clone()))
}

async fn rotate(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(wish): Json<NewSecret>,
) -> Result<Json<IssuedChannel>, Refusal> {
    let mut world = shared.world();
    let channel = found(&mut world, &name)?;
    channel.both_secrets_until = wish.both_s.map(|seconds| ago(-i64::from(seconds)));
    let secret = matches!(channel.to, Place::Webhook { .. }).then(|| SECRET.to_owned());
    let channel = channel.clone();
    Ok(Json(IssuedChannel { channel, secret }))
}

async fn test(State(shared): State<Shared>, Path(text): Path<String>) -> Result<Json<Delivery>, Refusal> {
    let mut world = shared.world();
    found(&mut world, &text)?;
    let broken = text == "broken";
    let number = i64::try_from(world.deliveries.len()).unwrap() + 71;
    let delivery = Delivery {
        number,
        channel: name(&text),
        topic: "test".to_owned(),
        message: format!("a test of channel {text}, asked for by lucy"),
        state: if broken {
            DeliveryState::Waiting
        } else {
            DeliveryState::Delivered
        },
        tries: 1,
        created_at: ago(JUST_NOW),
        next_at: broken.then(|| ago(-JUST_NOW)),
        ended_at: (!broken).then(|| ago(JUST_NOW)),
        last_error: broken.then(|| "the receiver answered 500".to_owned()),
    };
    world.deliveries.push(delivery.clone());
    Ok(Json(Delivery {
        state: DeliveryState::Waiting,
        last_error: None,
        ..delivery
    }))
}

async fn rules(State(shared): State<Shared>, query: Parameters) -> Json<Page<Rule>> {
    page(&shared.world().rules, &query)
}

async fn add_rule(State(shared): State<Shared>, Json(wish): Json<NewRule>) -> Result<Json<Rule>, Refusal> {
    let mut world = shared.world();
    found(&mut world, wish.channel.as_str())?.rules += 1;
    let rule = Rule {
        number: i64::try_from(world.rules.len()).unwrap() + 1,
        channel: wish.channel,
        project: wish.project,
        environments: wish.environments,
        events: wish.events,
        created_by: "lucy".to_owned(),
        created_at: ago(JUST_NOW),
    };
    world.rules.push(rule.clone());
    Ok(Json(rule))
}

async fn remove_rule(State(shared): State<Shared>, Path(number): Path<i64>) -> Result<Json<Rule>, Refusal> {
    let mut world = shared.world();
    let place = world.rules.iter().position(|rule| rule.number == number);
    let place = place.ok_or_else(|| unknown("rule", &number.to_string(), None))?;
    Ok(Json(world.rules.remove(place)))
}

async fn deliveries(State(shared): State<Shared>, query: Parameters) -> Json<Page<Delivery>> {
    page(&shared.world().deliveries, &query)
}

async fn delivery(
    State(shared): State<Shared>,
    Path(number): Path<i64>,
) -> Result<Json<DeliveryLog>, Refusal> {
    let world = shared.world();
    let delivery = world
        .deliveries
        .iter()
        .find(|known| known.number == number)
        .cloned();
    let delivery = delivery.ok_or_else(|| unknown("delivery", &number.to_string(), None))?;
    let error = delivery.last_error.clone();
    Ok(Json(DeliveryLog {
        id: "msg_0193aaaabbbb7ccc8dddeeeeffff0000".to_owned(),
        tries: vec![DeliveryTry {
            at: ago(JUST_NOW),
            took_ms: 42,
            status: Some(if error.is_some() { 500 } else { 200 }),
            request: r#"{"type":"test"}"#.to_owned(),
            answer: Some(if error.is_some() { "oh no" } else { "taken" }.to_owned()),
            error,
        }],
        delivery,
    }))
}

async fn redeliver(State(shared): State<Shared>, Path(number): Path<i64>) -> Result<Json<Delivery>, Refusal> {
    let mut world = shared.world();
    let mut known = world.deliveries.iter_mut();
    let delivery = known.find(|known| known.number == number);
    let delivery = delivery.ok_or_else(|| unknown("delivery", &number.to_string(), None))?;
    delivery.state = DeliveryState::Waiting;
    delivery.last_error = None;
    Ok(Json(delivery.clone()))
}
