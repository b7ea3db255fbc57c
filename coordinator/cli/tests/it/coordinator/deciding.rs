//! Plans, promotions, marks, and what is said while a deployment goes over its hosts.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{post, put};
use axum::{Json, Router};
use pointsman_shared::api::deployments::{Deployment, HostsRequest, PauseRequest, Promotion};
use pointsman_shared::api::plans::{
    Agreed, CommitLine, HostNote, NewPlan, Plan, PlannedCommits, PlannedRelease, Usual, WayBack,
};
use pointsman_shared::api::projects::Strategy;
use pointsman_shared::api::releases::NewMark;
use pointsman_shared::digest::Digest;

use super::Shared;
use super::refusals::{Refusal, unknown};
use super::world::{JUST_NOW, ago, name};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/plans", post(plan))
        .route("/promotions", post(promote))
        .route("/deployments/{number}/pause", post(pause))
        .route("/deployments/{number}/retry", post(hosts))
        .route("/deployments/{number}/skip", post(hosts))
        .route(
            "/projects/{project}/releases/{release}/marks/{mark}",
            put(mark).delete(unmark),
        )
}

fn release(number: u32, label: &str) -> PlannedRelease {
    PlannedRelease {
        number,
        label: name(label),
        commit: name(&format!("{number:040}")),
        digest: Digest::of(label.as_bytes()),
    }
}

async fn plan(Json(wish): Json<NewPlan>) -> Json<Plan> {
    Json(Plan {
        hash: Digest::of(b"plan"),
        agreed: Agreed {
            target: wish.target,
            release: release(42, &wish.release),
            from: Some(release(41, "1.9.0")),
            pre_migrations: vec!["0002_add_vat".to_owned()],
            waves: vec![vec![name("web-1")], vec![name("web-2"), name("web-3")]],
            strategy: Strategy::default(),
        },
        newer: None,
        commits: PlannedCommits {
            coming: vec![CommitLine {
                id: format!("{:040}", 42),
                author: "Lucy".to_owned(),
                at: ago(JUST_NOW),
                subject: "Add value added tax".to_owned(),
                email: String::new(),
                reverts: None,
            }],
            ..PlannedCommits::default()
        },
        post_migrations: Vec::new(),
        notes: vec![HostNote {
            host: name("web-3"),
            note: "it is absent".to_owned(),
        }],
        expected: Some(Usual {
            median_ms: 220_000,
            low_ms: 190_000,
            high_ms: 310_000,
            runs: 12,
        }),
        way_back: WayBack {
            to: Some(name("1.9.0")),
            ready_on: 3,
            note: Some("a rollback does not revert 0002_add_vat".to_owned()),
        },
        obstacles: vec!["release 1.9.1 is not marked tested, which shop@production asks for".to_owned()],
        made_by: "lucy".to_owned(),
        made_at: ago(JUST_NOW),
    })
}

async fn promote(State(shared): State<Shared>, Json(wish): Json<Promotion>) -> Json<Deployment> {
    let target = format!("{}@{}", wish.project, wish.to);
    Json(shared.world().wish("deploy", &target, "1.9.1"))
}

async fn pause(
    State(shared): State<Shared>,
    Path(number): Path<i64>,
    Json(_): Json<PauseRequest>,
) -> Result<Json<Deployment>, Refusal> {
    find(&shared, number)
}

async fn hosts(
    State(shared): State<Shared>,
    Path(number): Path<i64>,
    Json(_): Json<HostsRequest>,
) -> Result<Json<Deployment>, Refusal> {
    find(&shared, number)
}

fn find(shared: &Shared, number: i64) -> Result<Json<Deployment>, Refusal> {
    let world = shared.world();
    let found = world.deployments.iter().find(|known| known.number == number);
    found
        .cloned()
        .map(Json)
        .ok_or_else(|| unknown("deployment", &format!("#{number}"), None))
}

async fn mark(Json(_): Json<NewMark>) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn unmark() -> StatusCode {
    StatusCode::NO_CONTENT
}
