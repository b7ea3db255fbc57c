//! For machines that look after machines: alive, ready, which version; and for people: the doctor.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use pointsman_shared::api::fleet::Finding;
use pointsman_store::schema;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Json;
use super::problem::Answer;
use super::router::Api;
use crate::app::App;
use crate::broker::topology;
use crate::operations::doctor;

/// Longest wait for one part.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long an answer is good for, so that nobody can wear the broker out by asking.
const FRESH: Duration = Duration::from_secs(3);
/// The same of a "no": whoever waits for the start should learn soon that it is over.
const FRESH_NO: Duration = Duration::from_millis(300);

/// `GET /healthz`: this process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Who answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Version {
    name: &'static str,
    version: &'static str,
}

/// `GET /version`
pub(super) async fn version() -> Json<Version> {
    Json(Version {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// `GET /api/v1/doctor`
pub(super) async fn doctor(caller: Caller) -> Answer<Json<Vec<Finding>>> {
    Ok(Json(doctor::execute(&caller.app, &caller.actor).await?))
}

/// Whether requests should be sent here, and what is missing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Readiness {
    ready: bool,
    checks: Vec<Check>,
}

impl Readiness {
    const fn fresh(&self) -> Duration {
        if self.ready { FRESH } else { FRESH_NO }
    }
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Check {
    name: &'static str,
    ok: bool,
    found: String,
}

/// The newest readiness, shared by all who ask.
#[derive(Debug, Clone, Default)]
pub(super) struct Newest(Arc<Mutex<Option<(Instant, Readiness)>>>);

/// `GET /readyz`: database, schema, artifact store, broker and its topology; names what this process cannot repair by itself.
pub(super) async fn ready(State(api): State<Api>) -> (StatusCode, Json<Readiness>) {
    let mut newest = api.readiness.0.lock().await;
    let readiness = match newest.as_ref() {
        Some((at, readiness)) if at.elapsed() < readiness.fresh() => readiness.clone(),
        Some(_) | None => {
            let readiness = examine(&api.app).await;
            *newest = Some((Instant::now(), readiness.clone()));
            readiness
        }
    };
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness))
}

async fn examine(app: &App) -> Readiness {
    let (mut checks, store, broker) = tokio::join!(database(app), store(app), broker(app));
    checks.push(store);
    checks.extend(broker);
    Readiness {
        ready: checks.iter().all(|check| check.ok),
        checks,
    }
}

async fn database(app: &App) -> Vec<Check> {
    let asked = tokio::time::timeout(PATIENCE, async {
        let mut conn = app.store.read().await?;
        schema::fit(&mut conn).await
    });
    let (database, migrations) = match asked.await {
        Ok(Ok(fit)) if fit.missing.is_empty() => ((true, "answers".to_owned()), (true, "current".to_owned())),
        Ok(Ok(fit)) => (
            (true, "answers".to_owned()),
            (false, format!("not applied: {:?}", fit.missing)),
        ),
        Ok(Err(error)) => ((false, error.to_string()), (false, "not known".to_owned())),
        Err(_) => (
            (false, "no answer within 3 s".to_owned()),
            (false, "not known".to_owned()),
        ),
    };
    let check = |name, (ok, found)| Check { name, ok, found };
    vec![check("database", database), check("migrations", migrations)]
}

async fn store(app: &App) -> Check {
    let (ok, found) = match tokio::time::timeout(PATIENCE, app.objects.examine()).await {
        Ok(Ok(condition)) => (true, condition.name),
        Ok(Err(trouble)) => (false, format!("{trouble}: {}", trouble.cure)),
        Err(_) => (false, "no answer within 3 s".to_owned()),
    };
    Check {
        name: "store",
        ok,
        found,
    }
}

async fn broker(app: &App) -> Vec<Check> {
    let check = |name, ok, found: &str| Check {
        name,
        ok,
        found: found.to_owned(),
    };
    let inspection = match tokio::time::timeout(PATIENCE, topology::inspect(app)).await {
        Ok(Ok(inspection)) => inspection,
        Ok(Err(error)) => return vec![check("broker", false, &error.to_string())],
        Err(_) => return vec![check("broker", false, "no answer within 3 s")],
    };
    if let Some(why) = inspection.unreachable {
        return vec![check("broker", false, &why)];
    }
    let missing = inspection.missing.join(", ");
    let (ok, found) = match (missing.is_empty(), inspection.repairs_itself) {
        (true, _) => (true, "every queue is there".to_owned()),
        (false, true) => (false, format!("being made: {missing}")),
        (false, false) => (
            false,
            format!("cannot be made without broker.admin_url: {missing}"),
        ),
    };
    vec![check("broker", true, "answers"), check("topology", ok, &found)]
}
