//! Webhooks and pushes: what forges told, and how it is held back.

use axum::extract::{Path, State};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use pointsman_shared::api::Page;
use pointsman_shared::api::projects::Target;
use pointsman_shared::api::pushes::{
    IssuedWebhook, NewPushPause, NewWebhook, Push, PushAnswer, PushOutcome, PushPause, Webhook,
};

use super::Shared;
use super::refusals::{Refusal, unknown};
use super::world::{JUST_NOW, ago, name};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/webhooks", get(webhooks).post(add))
        .route("/webhooks/{project}/{webhook}", delete(remove))
        .route("/webhooks/{project}/{webhook}/secret", post(renew))
        .route("/pushes", get(pushes))
        .route("/pushes/{number}/repeat", post(repeat))
        .route("/targets/{target}/push-pause", put(pause).delete(resume))
}

fn webhook(project: &str, called: &str) -> Webhook {
    Webhook {
        project: name(project),
        name: name(called),
        forge: serde_json::from_value(called.into()).unwrap(),
        url: format!("https://pointsman.example.org/api/v1/webhooks/{project}/{called}"),
        created_at: ago(JUST_NOW),
        last_push_at: Some(ago(JUST_NOW)),
        refused_at: None,
    }
}

async fn webhooks() -> Json<Vec<Webhook>> {
    Json(vec![webhook("shop", "github")])
}

async fn add(Json(wish): Json<NewWebhook>) -> Json<IssuedWebhook> {
    issued(wish.project.as_str(), wish.forge.as_str())
}

async fn renew(Path((project, called)): Path<(String, String)>) -> Json<IssuedWebhook> {
    issued(&project, &called)
}

fn issued(project: &str, called: &str) -> Json<IssuedWebhook> {
    Json(IssuedWebhook {
        webhook: webhook(project, called),
        secret: "5ecret".to_owned(),
    })
}

async fn remove(Path((_, called)): Path<(String, String)>) -> Result<(), Refusal> {
    match called.as_str() {
        "github" => Ok(()),
        _ => Err(unknown("webhook", &called, None)),
    }
}

fn push(number: i64, reference: &str, answers: Vec<PushAnswer>) -> Push {
    Push {
        number,
        project: name("shop"),
        webhook: name("github"),
        delivery: format!("delivery-{number}"),
        reference: reference.to_owned(),
        by: Some("ann".to_owned()),
        received_at: ago(JUST_NOW),
        answered_at: (!answers.is_empty()).then(|| ago(JUST_NOW)),
        commit: None,
        answers,
    }
}

async fn pushes() -> Json<Page<Push>> {
    let answer = |outcome, deployment, message: &str| PushAnswer {
        target: Some(name("shop@production")),
        outcome,
        deployment,
        message: message.to_owned(),
    };
    let ignored = PushAnswer {
        target: None,
        ..answer(PushOutcome::Ignored, None, "no target follows it")
    };
    let held = answer(
        PushOutcome::Paused,
        None,
        "3f9c1e2 is held back: #812 was rolled back to 1.9.0",
    );
    let deployed = answer(
        PushOutcome::Requested,
        Some(812),
        "3f9c1e2 by ann is deployed by #812",
    );
    Json(Page {
        items: vec![
            push(4, "refs/heads/main", Vec::new()),
            push(3, "refs/heads/main", vec![held]),
            push(2, "refs/tags/1.9.1", vec![ignored]),
            push(1, "refs/heads/main", vec![deployed]),
        ],
        next: None,
    })
}

async fn repeat(Path(number): Path<i64>) -> Json<Push> {
    Json(push(number, "refs/heads/main", Vec::new()))
}

async fn pause(
    State(shared): State<Shared>,
    Path(target): Path<String>,
    Json(wish): Json<NewPushPause>,
) -> Json<Target> {
    let pause = PushPause {
        reason: wish.reason,
        by: "lucy".to_owned(),
        since: ago(JUST_NOW),
        range: None,
    };
    change(&shared, &target, vec![pause])
}

async fn resume(State(shared): State<Shared>, Path(target): Path<String>) -> Json<Target> {
    change(&shared, &target, Vec::new())
}

fn change(shared: &Shared, target: &str, pauses: Vec<PushPause>) -> Json<Target> {
    let mut world = shared.world();
    let known = world
        .targets
        .iter_mut()
        .find(|known| known.name.to_string() == target)
        .unwrap();
    known.push_pauses = pauses;
    Json(known.clone())
}
