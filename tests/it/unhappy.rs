//! Bad input and bad luck: a clear error where the user looks, and the live release untouched.

use anyhow::Result;
use pointsman_sandbox::Options;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_tests::world::{RECIPE, shared};
use pointsman_tests::{Refused, World};
use serde_json::{Value, json};

/// One fleet with 1.0.0 live serves all of these, because starting one costs seconds.
#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_told_where_it_is_made_and_changes_nothing() -> Result<()> {
    let world = World::start_with(Options {
        hosts: 2,
        ..shared().await?
    })
    .await?;
    world.has_three_versions()?.has_target(json!({})).await?;
    world.builds("1.0.0").await?;
    assert_eq!(world.deploys("1.0.0").await?.state, DeploymentState::Live);

    unknown_names_are_refused(&world).await?;
    a_typo_in_the_recipe_names_its_line(&world).await?;
    a_failing_build_shows_its_step_and_log(&world).await?;
    a_missing_shared_file_fails_before_any_switch(&world).await?;
    a_health_check_that_never_answers_fails(&world).await?;
    a_second_wish_waits_and_says_behind_what(&world).await?;
    the_same_root_twice_is_refused_by_name(&world).await?;
    a_cancelled_deployment_ends(&world).await?;

    world.all_serve("1.0.0").await
}

async fn refusal_of(world: &World, path: &str, body: Value) -> Result<(String, String)> {
    match world.api.try_post::<Value>(path, body).await? {
        Ok(answer) => anyhow::bail!("{path} was accepted: {answer}"),
        Err(Refused(problem)) => Ok((problem.code, problem.detail.unwrap_or(problem.title))),
    }
}

async fn unknown_names_are_refused(world: &World) -> Result<()> {
    let (code, text) = refusal_of(world, "projects/shop/releases", json!({ "ref": "1.0.O" })).await?;
    assert_eq!(code, "unknown_ref", "{text}");
    let (code, text) = refusal_of(world, "projects/shep/releases", json!({ "ref": "1.0.0" })).await?;
    assert_eq!(code, "unknown_project", "{text}");
    let body = json!({ "target": "shop@production", "release": "9.9.9" });
    let (code, text) = refusal_of(world, "deployments", body).await?;
    assert_eq!(code, "unknown_release", "{text}");
    let body = json!({ "target": "shop@staging", "release": "1.0.0" });
    let (code, text) = refusal_of(world, "deployments", body).await?;
    assert_eq!(code, "unknown_target", "{text}");
    Ok(())
}

async fn a_typo_in_the_recipe_names_its_line(world: &World) -> Result<()> {
    world
        .has_recipe(&RECIPE.replace("passes", "pases"))?
        .has_version("2.0.0-typo", "ok")?;
    let (code, text) = refusal_of(world, "projects/shop/releases", json!({ "ref": "2.0.0-typo" })).await?;
    assert_eq!(code, "invalid_recipe", "{text}");
    assert!(text.contains("pases") && text.contains("line 8"), "{text}");
    Ok(())
}

async fn failed_build(world: &World, tag: &str, steps: &str) -> Result<(Release, String)> {
    world
        .has_recipe(&format!(
            "[build]\nsteps = [{steps:?}]\nsilence_timeout = \"2s\"\n"
        ))?
        .has_version(tag, "ok")?;
    let release = world.starts_build(tag).await?;
    let release = world.built(release.number).await?;
    assert_eq!(release.state, ReleaseState::Failed, "{release:?}");
    let log = world.log(release.job.unwrap_or_default()).await?;
    Ok((release, log))
}

async fn a_failing_build_shows_its_step_and_log(world: &World) -> Result<()> {
    let (release, log) = failed_build(world, "2.0.1-fails", "echo about to fail; exit 3").await?;
    let failure = release.failure.unwrap_or_default();
    assert!(failure.contains("status 3"), "{failure}");
    assert!(log.contains("about to fail"), "{log}");

    let (release, _) = failed_build(world, "2.0.2-hangs", "sleep 600").await?;
    let failure = release.failure.unwrap_or_default();
    assert!(
        failure.contains("silent") || failure.contains("printed nothing"),
        "{failure}"
    );
    Ok(())
}

async fn a_missing_shared_file_fails_before_any_switch(world: &World) -> Result<()> {
    world
        .has_recipe(&format!("{RECIPE}\n[release]\nshared = [\".env\"]\n"))?
        .has_version("2.1.0", "ok")?;
    world.builds("2.1.0").await?;
    let deployment = world.starts_deploy("2.1.0").await?;
    // The target's policy is to hold: it waits for a person, and the next wish ends it.
    let deployment = world.reaches(deployment.number, DeploymentState::Paused).await?;
    let said = format!("{deployment:?}");
    assert!(said.contains(".env") && said.contains("web-1"), "{said}");
    world.all_serve("1.0.0").await
}

async fn a_health_check_that_never_answers_fails(world: &World) -> Result<()> {
    world.has_recipe(RECIPE)?.has_version("2.2.0", "hang")?;
    world.builds("2.2.0").await?;
    let body = json!({ "target": "shop@production", "release": "2.2.0", "on_failure": "rollback" });
    let deployment: Deployment = world.api.post("deployments", body).await?;
    let deployment = world.ended(deployment.number).await?;
    assert_eq!(deployment.state, DeploymentState::RolledBack, "{deployment:#?}");
    world.all_serve("1.0.0").await
}

async fn a_second_wish_waits_and_says_behind_what(world: &World) -> Result<()> {
    world
        .has_recipe(&RECIPE.replace("deadline = \"3s\"", "deadline = \"10s\""))?
        .has_version("2.3.0", "hang")?;
    world.builds("2.3.0").await?;
    let first = world.starts_deploy("2.3.0").await?;
    world
        .deployment_is(first.number, "at work", |d| d.started_at.is_some())
        .await?;
    let second = world.starts_deploy("1.0.0").await?;
    assert_eq!(second.state, DeploymentState::Waiting, "{second:#?}");
    assert!(
        second.summary.contains(&format!("#{}", first.number)),
        "{}",
        second.summary
    );

    let _: Deployment = world
        .api
        .post(&format!("deployments/{}/cancel", first.number), json!({}))
        .await?;
    world.ended(first.number).await?;
    let second = world.ended(second.number).await?;
    assert_eq!(second.state, DeploymentState::Live, "{second:#?}");
    world.all_serve("1.0.0").await
}

async fn the_same_root_twice_is_refused_by_name(world: &World) -> Result<()> {
    let root = world
        .sandbox
        .root("web-1", "shop")?
        .display()
        .to_string()
        .replace("web-1", "${HOST}");
    world
        .applies(json!({ "environment": [{ "name": "beta" }] }))
        .await?;
    let target =
        json!({ "project": "shop", "environment": "beta", "hosts": { "role": "web" }, "root": root });
    let (code, text) = refusal_of(world, "targets", target).await?;
    assert_eq!(code, "root_used_twice", "{text}");
    assert!(
        text.contains("shop@production") && text.contains("shop@beta"),
        "{text}"
    );
    Ok(())
}

async fn a_cancelled_deployment_ends(world: &World) -> Result<()> {
    let deployment = world.starts_deploy("2.3.0").await?;
    let _: Deployment = world
        .api
        .post(&format!("deployments/{}/cancel", deployment.number), json!({}))
        .await?;
    let deployment = world.ended(deployment.number).await?;
    assert_eq!(deployment.state, DeploymentState::Cancelled, "{deployment:#?}");
    let back = world.deploys("1.0.0").await?;
    assert_eq!(back.state, DeploymentState::Live, "{back:#?}");
    Ok(())
}
