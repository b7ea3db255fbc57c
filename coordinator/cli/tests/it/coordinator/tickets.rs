//! How commits of shop name tickets, and which commits of its branches are not built.

use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use pointsman_shared::api::projects::{Project, Tickets};
use serde_json::{Value, json};

use super::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/projects/shop/tickets", put(set).delete(remove))
        .route("/projects/shop/commits", get(commits))
}

async fn set(State(shared): State<Shared>, Json(wish): Json<Tickets>) -> Json<Project> {
    keep(&shared, Some(wish))
}

async fn remove(State(shared): State<Shared>) -> Json<Project> {
    keep(&shared, None)
}

fn keep(shared: &Shared, tickets: Option<Tickets>) -> Json<Project> {
    let mut world = shared.world();
    world.projects[0].tickets = tickets;
    Json(world.projects[0].clone())
}

async fn commits() -> Json<Value> {
    let commit = |id: &str, subject: &str| json!({ "id": id.repeat(10), "author": "Ann", "at": "2026-11-20T08:00:00Z", "subject": subject });
    Json(json!({
        "branch": "main", "looked_at": 100, "more": true,
        "commits": [
            { "commit": commit("a1b2", "Round up"), "release": { "number": 44, "label": "44", "state": "failed" } },
            { "commit": commit("c3d4", "Round down"), "release": null },
        ],
    }))
}
