//! What can be changed.

use axum::extract::{Path, State};
use axum::routing::{delete, post, put};
use axum::{Json, Router};
use pointsman_shared::api::deployments::{
    CancelRequest, Decision, DecisionRequest, Deployment, DeploymentState, NewDeployment, NewRollback,
};
use pointsman_shared::api::fleet::{Host, HostPause, JoinToken, NewHostPause, NewJoinToken};
use pointsman_shared::api::jobs::{Job, JobState};
use pointsman_shared::api::projects::{
    Applied, Change, Document, Environment, NewEnvironment, NewProject, NewTarget, Project, Target, Variable,
};
use pointsman_shared::api::releases::{NewRelease, Release, ReleaseState};
use pointsman_shared::api::tokens::{IssuedToken, NewToken, TokenInfo};

use serde_json::json;

use super::Shared;
use super::journey;
use super::refusals::{Refusal, conflict, unknown};
use super::world::{JUST_NOW, World, ago, name};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/projects", post(create_project))
        .route("/projects/{name}/releases", post(build))
        .route("/environments", post(create_environment))
        .route("/targets", post(create_target))
        .route("/variables", put(set_variable))
        .route("/apply", put(apply))
        .route("/deployments", post(deploy))
        .route("/deployments/{number}/cancel", post(cancel))
        .route("/deployments/{number}/decision", post(decide))
        .route("/rollbacks", post(rollback))
        .route("/jobs/{number}/cancel", post(cancel_job))
        .route("/join-tokens", post(invite))
        .route("/hosts/{id}/revoke", post(revoke_host))
        .route("/hosts/{id}/pause", put(pause_host).delete(resume_host))
        .route("/tokens", post(create_token))
        .route("/tokens/{id}", delete(revoke_token))
}

type Made<T> = Result<Json<T>, Refusal>;

async fn create_project(State(shared): State<Shared>, Json(wish): Json<NewProject>) -> Made<Project> {
    let mut world = shared.world();
    if world.projects.iter().any(|known| known.name == wish.name) {
        let title = format!("project {} exists", wish.name);
        return Err(conflict(
            "project_exists",
            &title,
            "names are unique",
            "pointsman project show shop",
        ));
    }
    let project = Project {
        name: wish.name,
        repository: wish.repository.to_string(),
        subdirectory: wish.subdirectory,
        pool: wish.pool.unwrap_or_else(|| name("default")),
        tickets: wish.tickets,
        created_at: ago(JUST_NOW),
    };
    world.projects.push(project.clone());
    Ok(Json(project))
}

async fn create_environment(
    State(shared): State<Shared>,
    Json(wish): Json<NewEnvironment>,
) -> Json<Environment> {
    let environment = Environment {
        name: wish.name,
        position: wish.position,
    };
    shared.world().environments.push(environment.clone());
    Json(environment)
}

async fn create_target(State(shared): State<Shared>, Json(wish): Json<NewTarget>) -> Json<Target> {
    let mut world = shared.world();
    let full = format!("{}@{}", wish.project, wish.environment);
    let root = wish
        .root
        .unwrap_or_else(|| name(&format!("/srv/{}", wish.project)));
    let target = world.add_target(&full, None, &[]);
    target.hosts = wish.hosts;
    target.root = root;
    target.strategy = wish.strategy;
    Json(target.clone())
}

async fn set_variable(State(shared): State<Shared>, Json(wish): Json<Variable>) -> Json<Variable> {
    let mut world = shared.world();
    world
        .variables
        .retain(|known| known.scope != wish.scope || known.name != wish.name);
    world.variables.push(wish.clone());
    Json(wish)
}

async fn apply(State(shared): State<Shared>, Json(document): Json<Document>) -> Json<Applied> {
    let world = shared.world();
    let projects = document.projects.iter().map(|project| {
        let known = world.projects.iter().any(|known| known.name == project.name);
        (
            "project",
            project.name.to_string(),
            if known { "unchanged" } else { "created" },
        )
    });
    let environments = document
        .environments
        .iter()
        .map(|wish| ("environment", wish.name.to_string(), "created"));
    let changes = projects.chain(environments).map(|(kind, name, change)| Change {
        kind: kind.to_owned(),
        name,
        change: change.to_owned(),
    });
    Json(Applied {
        changes: changes.collect(),
    })
}

async fn build(
    State(shared): State<Shared>,
    Path(project): Path<String>,
    Json(wish): Json<NewRelease>,
) -> Made<Release> {
    let mut world = shared.world();
    if project != "shop" {
        return Err(unknown("project", &project, Some("shop")));
    }
    let reference = wish.reference.unwrap_or_else(|| "main".to_owned());
    if reference == "mian" {
        return Err(unknown("ref", &reference, Some("main")));
    }
    let release = world.add_release(43, "43", "77ac1d00beefcafe", "Try a new cart", &[]);
    release.has_recipe = reference != "bare";
    release.reference = reference;
    release.state = ReleaseState::Building;
    let release = release.clone();
    world.begin_build(&release);
    Ok(Json(release))
}

async fn deploy(State(shared): State<Shared>, Json(wish): Json<NewDeployment>) -> Made<Deployment> {
    let mut world = shared.world();
    world.refuse_if_locked()?;
    let target = wish.target.to_string();
    if !world.targets.iter().any(|known| known.name == wish.target) {
        return Err(unknown("target", &target, Some("shop@production")));
    }
    if !world
        .releases
        .iter()
        .any(|known| known.label.as_str() == wish.release)
    {
        return Err(unknown("release", &wish.release, Some("1.9.1")));
    }
    let deployment = world.wish("deploy", &target, &wish.release);
    let detail = json!({ "deployment": deployment.number, "release": wish.release, "reason": wish.reason });
    world.note("deployment.request", &target, detail);
    Ok(Json(deployment))
}

async fn rollback(State(shared): State<Shared>, Json(wish): Json<NewRollback>) -> Made<Deployment> {
    let mut world = shared.world();
    let target = wish.target.to_string();
    let open = world
        .deployments
        .iter()
        .find(|known| known.target == wish.target && !known.state.is_final())
        .cloned();
    if let Some(open) = open {
        world.journeys.insert(open.number, journey::back());
        world.note(
            "rollback.request",
            &target,
            json!({ "deployment": open.number, "reason": wish.reason }),
        );
        return Ok(Json(open));
    }
    let deployment = world.wish("rollback", &target, wish.release.as_deref().unwrap_or("1.8.9"));
    world.note(
        "rollback.request",
        &target,
        json!({ "deployment": deployment.number, "reason": wish.reason }),
    );
    Ok(Json(deployment))
}

async fn cancel(
    State(shared): State<Shared>,
    Path(number): Path<i64>,
    Json(wish): Json<CancelRequest>,
) -> Made<Deployment> {
    let mut world = shared.world();
    let found = world.deployments.iter_mut().find(|known| known.number == number);
    let Some(deployment) = found else {
        return Err(unknown("deployment", &number.to_string(), None));
    };
    deployment.state = DeploymentState::Cancelled;
    "cancelled by lucy".clone_into(&mut deployment.summary);
    deployment.reason.clone_from(&wish.reason);
    let deployment = deployment.clone();
    world.journeys.remove(&number);
    world.note(
        "deployment.cancel",
        &format!("deployment #{number}"),
        json!({ "reason": wish.reason }),
    );
    world.tell("deployment.cancelled", Some(&deployment), "cancelled");
    Ok(Json(deployment))
}

async fn decide(
    State(shared): State<Shared>,
    Path(number): Path<i64>,
    Json(wish): Json<DecisionRequest>,
) -> Made<Deployment> {
    let mut world = shared.world();
    let found = world
        .deployments
        .iter()
        .find(|known| known.number == number)
        .cloned();
    let Some(deployment) = found else {
        return Err(unknown("deployment", &number.to_string(), None));
    };
    if deployment.state != DeploymentState::Paused {
        let title = format!("deployment #{number} does not wait for a decision");
        return Err(conflict(
            "not_paused",
            &title,
            "it is over",
            "pointsman deployments",
        ));
    }
    let steps = match wish.decision {
        Decision::Rollback => journey::back(),
        Decision::Continue => journey::on(),
    };
    world.journeys.insert(number, steps);
    Ok(Json(deployment))
}

async fn cancel_job(State(shared): State<Shared>, Path(number): Path<i64>) -> Made<Job> {
    let mut world = shared.world();
    let found = world.jobs.iter_mut().find(|known| known.number == number);
    let Some(job) = found else {
        return Err(unknown("job", &number.to_string(), None));
    };
    job.state = JobState::Cancelled;
    Ok(Json(job.clone()))
}

async fn invite(State(shared): State<Shared>, Json(wish): Json<NewJoinToken>) -> Json<JoinToken> {
    shared.world().invited.push(wish.host.to_string());
    let seconds = i64::from(wish.ttl_seconds.unwrap());
    Json(JoinToken {
        token: "pmj_key_secret".to_owned(),
        host: wish.host,
        expires_at: ago(-seconds),
    })
}

async fn revoke_host(State(shared): State<Shared>, Path(id): Path<String>) {
    let mut world = shared.world();
    world.invited.retain(|invited| *invited != id);
    if let Some(host) = world.hosts.iter_mut().find(|known| known.id.as_str() == id) {
        host.revoked_at = Some(ago(JUST_NOW));
    }
}

async fn pause_host(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Json(wish): Json<NewHostPause>,
) -> Result<Json<Host>, Refusal> {
    rests(&shared, &id, Some(wish.reason))
}

async fn resume_host(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<Host>, Refusal> {
    rests(&shared, &id, None)
}

fn rests(shared: &Shared, id: &str, reason: Option<String>) -> Result<Json<Host>, Refusal> {
    let mut world = shared.world();
    let found = world.hosts.iter_mut().find(|known| known.id.as_str() == id);
    let Some(host) = found else {
        return Err(unknown("host", id, None));
    };
    host.seen = reason.is_none();
    host.paused = reason.map(|reason| HostPause {
        since: ago(JUST_NOW),
        by: "lucy".to_owned(),
        reason,
    });
    Ok(Json(host.clone()))
}

async fn create_token(State(shared): State<Shared>, Json(wish): Json<NewToken>) -> Json<IssuedToken> {
    let info = TokenInfo {
        id: "ci2".to_owned(),
        name: wish.name,
        role: wish.role,
        projects: wish.projects,
        created_at: ago(JUST_NOW),
        expires_at: Some(ago(-86_400 * i64::from(wish.days.unwrap_or(90)))),
        last_used_at: None,
        revoked_at: None,
    };
    shared.world().tokens.push(info.clone());
    Json(IssuedToken {
        token: "pmn_ci2_secret".to_owned(),
        info,
    })
}

async fn revoke_token(State(shared): State<Shared>, Path(id): Path<String>) -> Result<(), Refusal> {
    let mut world = shared.world();
    let found = world.tokens.iter_mut().find(|known| known.id == id);
    let Some(token) = found else {
        return Err(unknown("token", &id, None));
    };
    token.revoked_at = Some(ago(JUST_NOW));
    Ok(())
}

impl World {
    fn refuse_if_locked(&self) -> Result<(), Refusal> {
        let Some(why) = &self.lock else { return Ok(()) };
        Err(conflict(
            "target_locked",
            "shop@production is locked",
            why,
            "wait until the lock ends, or ask its owner",
        ))
    }
}
