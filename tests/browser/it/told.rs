//! What a flow came to, beside what its page says: in the database, in the audit trail, and by the operator's command.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use pointsman_sandbox::Sandbox;
use pointsman_sandbox::programs::Binaries;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::World;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

/// The fleet's own database.
pub async fn database(sandbox: &Sandbox) -> Result<PgConnection> {
    let url = sandbox.services().postgres().url(sandbox.database());
    Ok(PgConnection::connect(&url).await?)
}

/// What the operator's command answers.
pub fn pointsman(sandbox: &Sandbox, arguments: &[&str]) -> Result<Value> {
    let program = Binaries::find(sandbox.place())?.program("pointsman")?;
    let output = Command::new(program)
        .args(arguments)
        .args(["-o", "json", "--no-color", "--no-input"])
        .env_clear()
        .envs(sandbox.env())
        .env("XDG_CONFIG_HOME", sandbox.dir())
        .output()?;
    ensure!(output.status.success(), "pointsman {arguments:?}: {output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&said).with_context(|| format!("pointsman {arguments:?} says {said}"))
}

/// The newest act on an object is this one; returns its detail.
pub async fn acted(sandbox: &Sandbox, object: &str, action: &str, result: &str) -> Result<Value> {
    let mut conn = database(sandbox).await?;
    let newest =
        "SELECT action, result, detail::text FROM audit WHERE object = $1 ORDER BY number DESC LIMIT 1";
    let newest: Option<(String, String, String)> = sqlx::query_as(newest)
        .bind(object)
        .fetch_optional(&mut conn)
        .await?;
    let (act, ended, detail) = newest.with_context(|| format!("nothing was done to {object}"))?;
    ensure!(
        (act.as_str(), ended.as_str()) == (action, result),
        "the newest act on {object} is {act}, {ended}, and not {action}, {result}"
    );
    Ok(serde_json::from_str(&detail)?)
}

/// A deployment stands so in the database and for the operator's command, and this act was the last that made it so.
pub async fn asserts(world: &World, number: i64, state: DeploymentState, act: &str) -> Result<Value> {
    let name = serde_json::to_value(state)?;
    let row = "SELECT deployment.outcome, deployment.paused IS NOT NULL, project.name || '@' || environment.name
        FROM deployment JOIN target ON target.id = deployment.target_id
        JOIN project ON project.id = target.project_id JOIN environment ON environment.id = target.environment_id
        WHERE deployment.number = $1";
    let (outcome, paused, target): (Option<String>, bool, String) = sqlx::query_as(row)
        .bind(number)
        .fetch_one(&mut database(&world.sandbox).await?)
        .await?;
    let is_final = outcome.is_some();
    let stands = match outcome {
        Some(outcome) => name == outcome.as_str(),
        None => !state.is_final() && paused == (state == DeploymentState::Paused),
    };
    ensure!(stands, "#{number} is not {name} in the database");
    let wished = act.ends_with(".request");
    let object = if wished {
        target
    } else {
        format!("deployment #{number}")
    };
    let detail = acted(&world.sandbox, &object, act, "done").await?;
    ensure!(
        !wished || detail["deployment"] == number,
        "{act} on {object} was about another deployment: {detail}"
    );
    let shown = pointsman(&world.sandbox, &["deployments", &number.to_string()])?;
    ensure!(
        shown["state"] == name,
        "pointsman deployments {number} says {}, not {name}",
        shown["state"]
    );
    ensure!(is_final == shown["ended_at"].is_string(), "{shown}");
    Ok(detail)
}
