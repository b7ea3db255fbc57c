//! What can be read, in pages.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::api::fleet::{Finding, Host};
use pointsman_shared::api::jobs::{Job, LogPage};
use pointsman_shared::api::projects::{Environment, Project, Target, Variable};
use pointsman_shared::api::releases::Release;
use pointsman_shared::api::tokens::{RoleName, TokenInfo, WhoAmI};
use pointsman_shared::api::{Page, Problem};

use super::Shared;
use super::refusals::{Refusal, unknown};
use super::world::ago;

type Parameters = Query<HashMap<String, String>>;
type Found<T> = Result<Json<T>, Refusal>;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/whoami", get(whoami))
        .route("/doctor", get(doctor))
        .route("/status", get(targets))
        .route("/targets", get(targets))
        .route("/targets/{name}", get(target))
        .route("/projects", get(projects))
        .route("/projects/{name}", get(project))
        .route("/projects/{name}/releases", get(releases))
        .route("/projects/{name}/releases/{spec}", get(release))
        .route("/environments", get(environments))
        .route("/variables", get(variables))
        .route("/deployments", get(deployments))
        .route("/deployments/{number}", get(deployment))
        .route("/jobs", get(jobs))
        .route("/jobs/{number}", get(job))
        .route("/jobs/{number}/log", get(log))
        .route("/hosts", get(hosts))
        .route("/hosts/{id}", get(host))
        .route("/tokens", get(tokens))
}

pub fn page<T: Clone>(all: &[T], query: &HashMap<String, String>) -> Json<Page<T>> {
    let number = |name| {
        query
            .get(name)
            .and_then(|text: &String| text.parse::<usize>().ok())
    };
    let from = number("cursor").unwrap_or(0).min(all.len());
    let to = (from + number("limit").unwrap_or(50)).min(all.len());
    Json(Page {
        items: all[from..to].to_vec(),
        next: (to < all.len()).then(|| to.to_string()),
    })
}

fn newest_first<T: Clone>(all: &[T]) -> Vec<T> {
    all.iter().rev().cloned().collect()
}

async fn whoami(State(shared): State<Shared>) -> Json<WhoAmI> {
    Json(WhoAmI {
        name: "lucy".to_owned(),
        kind: "user".to_owned(),
        role: RoleName::Admin,
        projects: BTreeMap::default(),
        installation: "example".to_owned(),
        version: shared
            .world()
            .version
            .clone()
            .unwrap_or_else(|| "0.1.0".to_owned()),
        at: ago(0),
    })
}

async fn doctor(State(shared): State<Shared>) -> Json<Vec<Finding>> {
    Json(shared.world().findings.clone())
}

async fn targets(State(shared): State<Shared>, Query(query): Parameters) -> Json<Page<Target>> {
    page(&shared.world().targets, &query)
}

async fn target(State(shared): State<Shared>, Path(name): Path<String>) -> Found<Target> {
    let world = shared.world();
    let found = world.targets.iter().find(|known| known.name.to_string() == name);
    found
        .cloned()
        .map(Json)
        .ok_or_else(|| unknown("target", &name, Some("shop@production")))
}

async fn projects(State(shared): State<Shared>, Query(query): Parameters) -> Json<Page<Project>> {
    page(&shared.world().projects, &query)
}

async fn project(State(shared): State<Shared>, Path(name): Path<String>) -> Found<Project> {
    let world = shared.world();
    let found = world.projects.iter().find(|known| known.name.as_str() == name);
    found
        .cloned()
        .map(Json)
        .ok_or_else(|| unknown("project", &name, Some("shop")))
}

async fn releases(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Query(query): Parameters,
) -> Result<Json<Page<Release>>, Refusal> {
    let world = shared.world();
    if !world.projects.iter().any(|known| known.name.as_str() == name) {
        return Err(unknown("project", &name, Some("shop")));
    }
    Ok(page(&newest_first(&world.releases), &query))
}

async fn release(State(shared): State<Shared>, Path((_, spec)): Path<(String, String)>) -> Found<Release> {
    let mut world = shared.world();
    let found = world.releases.iter_mut().find(|known| {
        format!("#{}", known.number) == spec
            || known.label.as_str() == spec
            || (spec.len() >= 7 && known.commit.starts_with(&spec))
    });
    let Some(release) = found else {
        return Err(unknown("release", &spec, Some("1.9.1")));
    };
    let seen = release.clone();
    // A build that is followed moves when it is read, as deployments do.
    if let (Some(job), pointsman_shared::api::releases::ReleaseState::Building) = (release.job, release.state)
    {
        world.finish_build(job);
    }
    Ok(Json(seen))
}

async fn environments(State(shared): State<Shared>, Query(query): Parameters) -> Json<Page<Environment>> {
    page(&shared.world().environments, &query)
}

async fn variables(State(shared): State<Shared>, Query(query): Parameters) -> Json<Page<Variable>> {
    page(&shared.world().variables, &query)
}

async fn deployments(State(shared): State<Shared>, Query(query): Parameters) -> Json<Page<Deployment>> {
    let mut all = newest_first(&shared.world().deployments);
    if let Some(target) = query.get("target") {
        all.retain(|deployment| deployment.target.to_string() == *target);
    }
    let fits = |filter: &str, value: &str| query.get(filter).is_none_or(|wanted| wanted == value);
    all.retain(|deployment| {
        fits("project", deployment.target.project.as_str())
            && fits("who", &deployment.requested_by)
            && fits("release", deployment.release.as_str())
            && fits(
                "state",
                if deployment.state.is_final() {
                    "over"
                } else {
                    "open"
                },
            )
    });
    page(&all, &query)
}

async fn deployment(State(shared): State<Shared>, Path(number): Path<i64>) -> Found<Deployment> {
    let mut world = shared.world();
    world.advance(number);
    let found = world.deployments.iter().find(|known| known.number == number);
    found
        .cloned()
        .map(Json)
        .ok_or_else(|| unknown("deployment", &number.to_string(), None))
}

async fn jobs(State(shared): State<Shared>, Query(query): Parameters) -> Json<Page<Job>> {
    let mut all = newest_first(&shared.world().jobs);
    all.retain(|job| {
        let state = query.get("state").is_none_or(|state| job.state.as_str() == state);
        let number = query
            .get("deployment")
            .and_then(|number| number.parse::<i64>().ok());
        state && number.is_none_or(|number| job.deployment == Some(number))
    });
    page(&all, &query)
}

async fn job(State(shared): State<Shared>, Path(number): Path<i64>) -> Found<Job> {
    let world = shared.world();
    let found = world.jobs.iter().find(|known| known.number == number);
    found
        .cloned()
        .map(Json)
        .ok_or_else(|| unknown("job", &number.to_string(), None))
}

async fn log(
    State(shared): State<Shared>,
    Path(number): Path<i64>,
    Query(query): Parameters,
) -> Found<LogPage> {
    let world = shared.world();
    let epoch: u32 = query["epoch"].parse().unwrap();
    let after: u64 = query["after"].parse().unwrap();
    let limit: usize = query["limit"].parse::<usize>().unwrap().min(2);
    let Some(lines) = world.logs.get(&(number, epoch)) else {
        return Err(unknown("log", &number.to_string(), None));
    };
    let is_over = world
        .jobs
        .iter()
        .any(|job| job.number == number && job.state.is_final());
    let rest: Vec<_> = lines.iter().filter(|line| line.line > after).cloned().collect();
    Ok(Json(LogPage {
        stream: uuid::Uuid::nil().into(),
        epoch,
        complete: is_over && rest.len() <= limit,
        lines: rest.into_iter().take(limit).collect(),
        total: is_over.then(|| {
            lines
                .last()
                .map_or(0, |line| line.line + line.gap.saturating_sub(1))
        }),
    }))
}

async fn hosts(State(shared): State<Shared>, Query(query): Parameters) -> Json<Page<Host>> {
    page(&shared.world().hosts, &query)
}

async fn host(State(shared): State<Shared>, Path(id): Path<String>) -> Found<Host> {
    let world = shared.world();
    let found = world.hosts.iter().find(|known| known.id.as_str() == id);
    found.cloned().map(Json).ok_or_else(|| {
        if world.invited.contains(&id) {
            let what = format!("{id} is invited and has not joined yet");
            return Problem::new(404, "host_not_joined", what).into();
        }
        unknown("host", &id, None)
    })
}

async fn tokens(State(shared): State<Shared>, Query(query): Parameters) -> Json<Page<TokenInfo>> {
    page(&shared.world().tokens, &query)
}
