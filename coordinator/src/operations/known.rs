//! What a wish names must exist; where it does not, the refusal says what comes nearest.

use pointsman_domain::deployment::Facts;
use pointsman_domain::nearest::nearest;
use pointsman_domain::{Action, Actor, Permit, Refusal};
use pointsman_shared::api::projects::Environment;
use pointsman_shared::ids::{DeploymentId, EnvironmentId};
use pointsman_shared::name::{ChannelName, EnvironmentName, HostId, ProjectName, TargetName};
use pointsman_store::channels::ChannelRow;
use pointsman_store::projects::ProjectRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{
    PgConnection, StoreError, Transaction, channels, deployments, environments, hosts, join_tokens, projects,
    targets,
};

use crate::error::OperationResult;

/// The project of this name.
pub async fn project(conn: &mut PgConnection, name: &ProjectName) -> OperationResult<ProjectRow> {
    if let Some(project) = projects::find(conn, name).await? {
        return Ok(project);
    }
    let names = projects::names(conn).await?;
    Err(unknown(
        "project",
        "unknown_project",
        name.as_str(),
        &names,
        "pointsman project list",
    )
    .into())
}

/// Whether somebody may do something in a project; without one, everywhere.
pub fn authorize(
    actor: &Actor,
    project: Option<&ProjectName>,
    action: Action,
    object: &str,
) -> Result<Permit, Refusal> {
    match project {
        Some(project) => actor.authorize_in(project, action, object),
        None => actor.authorize(action, object),
    }
}

/// The environment of this name; its row is locked until the transaction ends.
pub async fn environment(
    conn: &mut PgConnection,
    name: &EnvironmentName,
) -> OperationResult<(EnvironmentId, Environment)> {
    if let Some(environment) = environments::lock(conn, name).await? {
        return Ok(environment);
    }
    let names = environments::names(conn).await?;
    let list = "pointsman environment list";
    Err(unknown("environment", "unknown_environment", name.as_str(), &names, list).into())
}

/// The target of this name.
pub async fn target(conn: &mut PgConnection, name: &TargetName) -> OperationResult<TargetRow> {
    if let Some(target) = targets::find(conn, name).await? {
        return Ok(target);
    }
    let names: Vec<String> = targets::names(conn)
        .await?
        .iter()
        // Whoever asks may not know of other projects.
        .filter(|(_, known)| known.project == name.project)
        .map(|(_, known)| known.to_string())
        .collect();
    let list = "pointsman target list";
    Err(unknown("target", "unknown_target", &name.to_string(), &names, list).into())
}

/// A host that has joined or is invited.
pub async fn host(conn: &mut PgConnection, id: &HostId) -> OperationResult<()> {
    if hosts::get(conn, id).await?.is_some() || join_tokens::is_invited(conn, id).await? {
        return Ok(());
    }
    let names = join_tokens::host_names(conn).await?;
    Err(unknown("host", "unknown_host", id.as_str(), &names, "pointsman hosts").into())
}

/// A deployment, locked until the transaction ends, with all that is decided by.
pub async fn facts_under_lock(tx: &mut Transaction, id: DeploymentId) -> OperationResult<Facts> {
    deployments::lock(tx, id).await?;
    let facts = deployments::facts(tx, id).await?;
    Ok(facts.ok_or_else(|| StoreError::inconsistent("deployment", id, "it vanished under its lock"))?)
}

/// The channel of this name; its row is locked until the transaction ends.
pub async fn channel(conn: &mut PgConnection, name: &ChannelName) -> OperationResult<ChannelRow> {
    if let Some(channel) = channels::lock(conn, name).await? {
        return Ok(channel);
    }
    let names = channels::names(conn).await?;
    let list = "pointsman channel ls";
    Err(unknown("channel", "unknown_channel", name.as_str(), &names, list).into())
}

/// A refusal that knows what comes nearest.
pub fn unknown(what: &str, code: &'static str, name: &str, known: &[String], list: &str) -> Refusal {
    let refusal = Refusal::not_found(code, format!("there is no {what} {name}"));
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => refusal.hint(format!("did you mean {near}?")),
        None => refusal.hint(list),
    }
}
