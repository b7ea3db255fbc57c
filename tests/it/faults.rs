//! `kill -9` in the middle of a deployment: it ends as it should, nothing happens twice, no hand is needed.

use std::path::Path;

use anyhow::{Context as _, Result};
use pointsman_sandbox::Options;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::World;
use pointsman_tests::world::{RECIPE, shared, until};
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

/// Every host ran its hook for this release once.
pub(super) fn ran_once(world: &World, release: &str) -> Result<()> {
    let log = fs_err::read_to_string(world.folder("effects")?.join("log"))?;
    for host in world.sandbox.web_hosts() {
        let wanted = format!("{} {release}", host.id());
        let times = log.lines().filter(|line| **line == wanted).count();
        assert_eq!(times, 1, "effects on {}: {log}", host.id());
    }
    Ok(())
}

pub(super) fn forget_effects(world: &World) -> Result<()> {
    Ok(fs_err::write(world.folder("effects")?.join("log"), "")?)
}

/// One fleet for all of them, because starting one with services of its own costs more than all deaths.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_killed_is_missed_by_nobody() -> Result<()> {
    let world = slow_world(Options::for_testing()).await?;
    for (round, victim) in ["coordinator", "agent", "database", "broker"]
        .into_iter()
        .enumerate()
    {
        let release = if round % 2 == 0 { "1.1.0" } else { "1.0.0" };
        println!("the {victim} is killed while {release} goes live");
        forget_effects(&world)?;
        let deployment = world.starts_deploy(release).await?;
        world
            .reaches(deployment.number, DeploymentState::Switching)
            .await?;
        let services = world.sandbox.services();
        match victim {
            "coordinator" => {
                world.sandbox.coordinator(0).kill().await?;
                world.sandbox.coordinator(0).restart().await?;
            }
            "agent" => {
                let host = world.sandbox.host("web-2")?;
                host.kill_agent().await?;
                host.start_agent().await?;
            }
            "database" => {
                services.postgres().kill().await?;
                services.postgres().restart().await?;
            }
            _ => {
                services.rabbitmq().kill().await?;
                services.rabbitmq().restart().await?;
            }
        }
        let deployment = world.ended(deployment.number).await?;
        assert_eq!(
            deployment.state,
            DeploymentState::Live,
            "{victim}: {deployment:#?}"
        );
        let served = world.all_serve(release).await;
        served.with_context(|| format!("{victim}: {deployment:#?}"))?;
        ran_once(&world, release)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_host_is_deferred_by_name_and_converges_when_it_returns() -> Result<()> {
    let world = slow_world(shared().await?).await?;
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
