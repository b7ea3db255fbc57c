//! `kill -9` in the middle of a deployment: it ends as it should, nothing happens twice, no hand is needed.

use std::path::Path;

use anyhow::Result;
use pointsman_sandbox::sandbox::Options;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_tests::World;
use pointsman_tests::world::{RECIPE, until};
use serde_json::json;

/// Each switch takes a second before it happens, and leaves a line in a file when it has happened.
fn slow_recipe(effects: &Path) -> String {
    format!(
        "{RECIPE}\n[activate]\nbefore = [[\"bin/slow\"]]\nafter = [[\"bin/effect\", \"{}\"]]\n",
        effects.display()
    )
}

pub(super) async fn slow_world(options: Options) -> Result<World> {
    let world = World::start_with(options).await?;
    let effects = world.folder("effects")?;
    world.has_recipe(&slow_recipe(&effects.join("log")))?;
    world
        .repository
        .script("bin/slow", "#!/bin/sh\nsleep 1\n")?
        .script(
            "bin/effect",
            "#!/bin/sh\necho \"$POINTSMAN_HOST $POINTSMAN_RELEASE_LABEL\" >> \"$1\"\n",
        )?;
    world.has_version("1.0.0", "ok")?.has_version("1.1.0", "ok")?;
    world
        .has_target(json!({ "waves": ["100%"], "on_failure": "rollback" }))
        .await?;
    world.builds("1.0.0").await?;
    world.builds("1.1.0").await?;
    let deployment = world.deploys("1.0.0").await?;
    assert_eq!(deployment.state, DeploymentState::Live, "{deployment:#?}");
    Ok(world)
}

/// Starts 1.1.0 and returns while its switches are at work.
async fn switching(world: &World) -> Result<Deployment> {
    let deployment = world.starts_deploy("1.1.0").await?;
    world.reaches(deployment.number, DeploymentState::Switching).await
}

async fn ends_live_and_once(world: &World, number: i64) -> Result<()> {
    let deployment = world.ended(number).await?;
    assert_eq!(deployment.state, DeploymentState::Live, "{deployment:#?}");
    world.all_serve("1.1.0").await?;
    let log = fs_err::read_to_string(world.folder("effects")?.join("log"))?;
    for host in world.sandbox.web_hosts() {
        let wanted = format!("{} 1.1.0", host.id());
        let times = log.lines().filter(|line| **line == wanted).count();
        assert_eq!(times, 1, "effects on {}: {log}", host.id());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_coordinator_is_missed_by_nobody() -> Result<()> {
    let world = slow_world(Options::for_testing()).await?;
    let deployment = switching(&world).await?;
    world.sandbox.coordinator(0).kill().await?;
    world.sandbox.coordinator(0).restart().await?;
    ends_live_and_once(&world, deployment.number).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_delays_and_loses_nothing() -> Result<()> {
    let world = slow_world(Options::for_testing()).await?;
    let deployment = switching(&world).await?;
    world.sandbox.services().postgres().kill().await?;
    world.sandbox.services().postgres().restart().await?;
    ends_live_and_once(&world, deployment.number).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_delays_and_loses_nothing() -> Result<()> {
    let world = slow_world(Options::for_testing()).await?;
    let deployment = switching(&world).await?;
    world.sandbox.services().rabbitmq().kill().await?;
    world.sandbox.services().rabbitmq().restart().await?;
    ends_live_and_once(&world, deployment.number).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_goes_on_when_it_is_started_again() -> Result<()> {
    let world = slow_world(Options::for_testing()).await?;
    let deployment = switching(&world).await?;
    let host = world.sandbox.host("web-2")?;
    host.kill_agent().await?;
    host.start_agent().await?;
    ends_live_and_once(&world, deployment.number).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_host_is_deferred_by_name_and_converges_when_it_returns() -> Result<()> {
    let world = slow_world(Options::for_testing()).await?;
    let host = world.sandbox.host("web-3")?;
    host.kill_agent().await?;
    until("web-3 is unseen", || async {
        let host: pointsman_shared::api::fleet::Host = world.api.get("hosts/web-3").await?;
        Ok((!host.seen).then_some(()))
    })
    .await?;

    let deployment = world.deploys("1.1.0").await?;
    assert_eq!(deployment.state, DeploymentState::Live, "{deployment:#?}");
    assert!(
        deployment.summary.contains("1 deferred"),
        "{}",
        deployment.summary
    );
    assert_eq!(world.serves("web-3").await?, "1.0.0");

    host.start_agent().await?;
    until("web-3 serves 1.1.0", || async {
        Ok((world.serves("web-3").await? == "1.1.0").then_some(()))
    })
    .await
}
