//! Known causes; number 1 came with the product.

use axum::extract::{Path, Query, State};
use axum::routing::{get, put};
use axum::{Json, Router};
use pointsman_shared::api::Page;
use pointsman_shared::api::causes::{Cause, NewCause};
use std::collections::HashMap;

use super::Shared;
use super::reads::page;
use super::refusals::{Refusal, unknown};
use super::world::{JUST_NOW, World, ago};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/causes", get(causes).post(add))
        .route("/causes/{number}", put(change).delete(remove))
}

/// What is known at first.
pub fn at_first() -> Vec<Cause> {
    let wish = NewCause {
        pattern: "no space left|ENOSPC".to_owned(),
        sentence: "The disk of the host is full.".to_owned(),
        action: Some("pointsman gc run".to_owned()),
    };
    vec![cause(1, wish, None)]
}

fn cause(number: i64, wish: NewCause, by: Option<&str>) -> Cause {
    Cause {
        number,
        pattern: wish.pattern,
        sentence: wish.sentence,
        action: wish.action,
        created_by: by.map(ToOwned::to_owned),
        changed_at: ago(JUST_NOW),
    }
}

async fn causes(State(shared): State<Shared>, query: Query<HashMap<String, String>>) -> Json<Page<Cause>> {
    page(&shared.world().causes, &query)
}

async fn add(State(shared): State<Shared>, Json(wish): Json<NewCause>) -> Json<Cause> {
    let mut world = shared.world();
    let number = world.causes.last().map_or(1, |last| last.number + 1);
    let cause = cause(number, wish, Some("lucy"));
    world.causes.push(cause.clone());
    Json(cause)
}

fn place(world: &World, number: i64) -> Result<usize, Refusal> {
    let found = world.causes.iter().position(|cause| cause.number == number);
    found.ok_or_else(|| unknown("cause", &number.to_string(), None))
}

async fn change(
    State(shared): State<Shared>,
    Path(number): Path<i64>,
    Json(wish): Json<NewCause>,
) -> Result<Json<Cause>, Refusal> {
    let mut world = shared.world();
    let at = place(&world, number)?;
    world.causes[at] = cause(number, wish, Some("lucy"));
    Ok(Json(world.causes[at].clone()))
}

async fn remove(State(shared): State<Shared>, Path(number): Path<i64>) -> Result<Json<Cause>, Refusal> {
    let mut world = shared.world();
    let at = place(&world, number)?;
    Ok(Json(world.causes.remove(at)))
}
