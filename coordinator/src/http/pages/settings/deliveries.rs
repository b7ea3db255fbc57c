//! Deliveries: what was told to whom, how it was answered, try by try, and once more.

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::notifications::{Delivery, DeliveryState, DeliveryTry};
use pointsman_shared::name::ChannelName;
use pointsman_store::deliveries::{self, DeliveryFilter};
use serde::{Deserialize, Serialize};

use super::super::super::extract::{Path, Query, filled};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::format::Standing;
use super::super::shown::{Mood, Shown, Went};
use super::super::viewer::Viewer;
use super::tabs::{Part, page};
use crate::operations::redeliver as again;

/// Rows of the list.
const ROWS: i64 = 50;

/// `?channel=ops&state=failed&before=12`
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default, deserialize_with = "filled")]
    channel: Option<ChannelName>,
    #[serde(default, deserialize_with = "filled")]
    state: Option<DeliveryState>,
    #[serde(default)]
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "settings/deliveries.html")]
struct List<'a> {
    which: &'a Which,
    states: [DeliveryState; 4],
    rows: Vec<(&'a Delivery, Standing)>,
    next: Option<i64>,
}

impl List<'_> {
    fn is(&self, state: DeliveryState) -> bool {
        self.which.state == Some(state)
    }
}

/// `GET /settings/deliveries`
pub(super) async fn list(viewer: Viewer, Query(which): Query<Which>) -> Answer<Shown> {
    let wanted = DeliveryFilter {
        before: which.before,
        channel: which.channel.as_ref(),
        state: which.state,
        number: None,
    };
    let mut conn = viewer.app().store.read().await?;
    let found = deliveries::list(&mut conn, wanted, ROWS + 1).await?;
    let mut found: Vec<_> = found.into_iter().map(|(_, delivery)| delivery).collect();
    let shown = usize::try_from(ROWS).unwrap_or_default();
    let more = found.len() > shown;
    found.truncate(shown);
    let list = List {
        which: &which,
        states: DeliveryState::ALL,
        rows: found
            .iter()
            .map(|delivery| (delivery, standing(delivery.state)))
            .collect(),
        next: found.last().filter(|_| more).map(|last| last.number),
    };
    Ok(page(&viewer, Part::Deliveries, &found)?
        .with("deliveries", &list)?
        .like("pointsman delivery ls"))
}

const fn standing(state: DeliveryState) -> Standing {
    let (sign, word, tone) = match state {
        DeliveryState::Waiting => ("…", "waiting", "wait"),
        DeliveryState::Delivered => ("✓", "delivered", "ok"),
        DeliveryState::Failed => ("✕", "failed", "bad"),
        DeliveryState::Superseded => ("–", "superseded", "unknown"),
    };
    Standing { sign, word, tone }
}

#[derive(Template)]
#[template(path = "settings/delivery.html")]
struct One<'a> {
    delivery: &'a Delivery,
    standing: Standing,
    tries: &'a [DeliveryTry],
    proof: &'a str,
    may: bool,
}

#[derive(Serialize)]
struct Data<'a> {
    delivery: &'a Delivery,
    tries: &'a [DeliveryTry],
}

/// `GET /settings/deliveries/{number}`
pub(super) async fn show(viewer: Viewer, Path(number): Path<i64>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let (id, delivery) = again::find(&mut conn, number).await?;
    let tries = deliveries::tries(&mut conn, id).await?;
    let one = One {
        delivery: &delivery,
        standing: standing(delivery.state),
        tries: &tries,
        proof: &viewer.proof,
        may: viewer.may(Action::Configure) && delivery.state != DeliveryState::Waiting,
    };
    let mood = match delivery.state {
        DeliveryState::Waiting => Mood::Running,
        DeliveryState::Delivered => Mood::Good,
        DeliveryState::Failed => Mood::Bad,
        DeliveryState::Superseded => Mood::Quiet,
    };
    let data = Data {
        delivery: &delivery,
        tries: &tries,
    };
    Ok(page(&viewer, Part::Deliveries, &data)?
        .with("delivery", &one)?
        .in_mood(mood)
        .like(format!("pointsman delivery show {number}")))
}

/// `POST /settings/deliveries/{number}/redeliver`
pub(super) async fn redeliver(viewer: Viewer, Path(number): Path<i64>) -> Answer<Went> {
    again::execute(viewer.app(), &viewer.caller.actor, number).await?;
    Ok(Went::telling(
        &format!("/settings/deliveries/{number}"),
        Done::Redelivered,
    ))
}
