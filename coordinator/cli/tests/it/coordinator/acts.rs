//! The audit trail: every change leaves an act, filters are obeyed, and the chain is whatever the test says.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use pointsman_shared::api::Page;
use pointsman_shared::api::tokens::{AuditChain, AuditEntry};
use serde_json::Value;

use super::Shared;
use super::reads::page;
use super::world::{JUST_NOW, World, ago};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/audit", get(audit))
        .route("/audit/chain", get(chain))
}

async fn audit(
    State(shared): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> Json<Page<AuditEntry>> {
    let mut acts: Vec<_> = shared.world().audit.iter().rev().cloned().collect();
    if query.get("mine").is_some_and(|mine| mine == "true") {
        acts.retain(|act| act.actor == "lucy");
    }
    if let Some(who) = query.get("who") {
        acts.retain(|act| act.actor == *who);
    }
    if let Some(what) = query.get("what") {
        acts.retain(|act| act.action == *what || act.action.starts_with(&format!("{what}.")));
    }
    if let Some(since) = query.get("since") {
        let since: chrono::DateTime<chrono::Utc> = since.parse().unwrap();
        acts.retain(|act| act.at >= since);
    }
    if let Some(until) = query.get("until") {
        let until: chrono::DateTime<chrono::Utc> = until.parse().unwrap();
        acts.retain(|act| act.at < until);
    }
    if let Some(object) = query.get("object") {
        acts.retain(|act| act.object.contains(object));
    }
    page(&acts, &query)
}

async fn chain(State(shared): State<Shared>) -> Json<AuditChain> {
    Json(shared.world().chain.clone().unwrap())
}

impl World {
    /// An act of Lucy's.
    pub fn note(&mut self, action: &str, object: &str, detail: Value) -> &mut AuditEntry {
        self.audit.push(AuditEntry {
            number: i64::try_from(self.audit.len()).unwrap() + 1,
            at: ago(JUST_NOW),
            actor: "lucy".to_owned(),
            kind: "user".to_owned(),
            address: Some("10.0.0.9".to_owned()),
            action: action.to_owned(),
            object: object.to_owned(),
            result: "done".to_owned(),
            detail,
        });
        self.audit.last_mut().unwrap()
    }
}
