//! The ssh key of a project: remembered, never told again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use pointsman_shared::api::Problem;
use pointsman_shared::api::deploy_keys::{DeployKey, MakeDeployKey, SetDeployKey};

use super::Shared;
use super::refusals::Refusal;
use super::world::{JUST_NOW, ago};

pub fn routes() -> Router<Shared> {
    let path = "/projects/shop/deploy-key";
    Router::new().route(path, get(show).put(set).post(make).delete(remove))
}

type Made = Result<Json<DeployKey>, Refusal>;

async fn show(State(shared): State<Shared>) -> Made {
    let key = shared.world().deploy_key.clone();
    let none = || Problem::new(404, "no_deploy_key", "shop has no deploy key").into();
    key.map(Json).ok_or_else(none)
}

async fn set(State(shared): State<Shared>, Json(wish): Json<SetDeployKey>) -> Made {
    if let Some(private) = &wish.private_key {
        keep(&shared, &format!("SHA256:given-{}", private.trim().len()));
    }
    keep_hosts(&shared, wish.known_hosts);
    show(State(shared)).await
}

async fn make(State(shared): State<Shared>, Json(wish): Json<MakeDeployKey>) -> Made {
    keep(&shared, "SHA256:made");
    keep_hosts(&shared, wish.known_hosts);
    show(State(shared)).await
}

async fn remove(State(shared): State<Shared>) -> StatusCode {
    shared.world().deploy_key = None;
    StatusCode::NO_CONTENT
}

fn keep(shared: &Shared, fingerprint: &str) {
    let mut world = shared.world();
    let known_hosts = world.deploy_key.take().map(|key| key.known_hosts);
    world.deploy_key = Some(DeployKey {
        public_key: "ssh-ed25519 AAAAC3 pointsman-shop".to_owned(),
        fingerprint: fingerprint.to_owned(),
        known_hosts: known_hosts.unwrap_or_default(),
        updated_by: "lucy".to_owned(),
        updated_at: ago(JUST_NOW),
    });
}

fn keep_hosts(shared: &Shared, text: Option<String>) {
    let mut world = shared.world();
    if let (Some(key), Some(text)) = (&mut world.deploy_key, text) {
        key.known_hosts = text.lines().map(str::to_owned).collect();
    }
}
