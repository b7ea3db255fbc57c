//! The coordinator dies at its named points: between a row and its message, a message and its mark, a grant and its
//! answer, a result and its ack. What was begun ends as it should, and once.

use anyhow::{Result, ensure};
use pointsman_shared::api::Page;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_tests::World;
use pointsman_tests::world::{RECIPE, until};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_dies_between_two_steps_does_nothing_twice() -> Result<()> {
    let world = World::start().await?;
    let effects = world.folder("effects")?.join("log");
    let recipe = format!(
        "{RECIPE}\n[activate]\nafter = [[\"bin/effect\", \"{}\"]]\n",
        effects.display()
    );
    world.has_recipe(&recipe)?;
    world.repository.script(
        "bin/effect",
        "#!/bin/sh\necho \"$POINTSMAN_HOST $POINTSMAN_RELEASE_LABEL\" >> \"$1\"\n",
    )?;
    world.has_version("1.0.0", "ok")?.has_version("1.1.0", "ok")?;
    world
        .has_target(json!({ "waves": ["100%"], "on_failure": "hold" }))
        .await?;
    for release in ["1.0.0", "1.1.0"] {
        world.builds(release).await?;
    }
    ensure!(world.deploys("1.0.0").await?.state == DeploymentState::Live);

    let coordinator = world.sandbox.coordinator(0);
    for (round, point) in ["C1", "C2", "C3", "C5", "C17"].into_iter().enumerate() {
        let release = if round % 2 == 0 { "1.1.0" } else { "1.0.0" };
        fs_err::write(&effects, "")?;
        coordinator.stop().await?;
        coordinator.restart_with(&[("POINTSMAN_CRASH", point)]).await?;
        // It may die before it has answered; the wish stands all the same, or is made again below.
        let asked = world.starts_deploy(release).await;
        until(&format!("the coordinator died at {point}"), || async {
            Ok((!coordinator.process().is_running()).then_some(()))
        })
        .await?;
        coordinator.restart().await?;
        let number = match asked {
            Ok(deployment) => deployment.number,
            Err(_) => newest_or_again(&world, release).await?,
        };
        let ended = world.ended(number).await?;
        ensure!(ended.state == DeploymentState::Live, "{point}: {ended:#?}");
        world.all_serve(release).await?;
        let log = fs_err::read_to_string(&effects)?;
        for host in world.sandbox.web_hosts() {
            let wanted = format!("{} {release}", host.id());
            let times = log.lines().filter(|line| **line == wanted).count();
            ensure!(times == 1, "{point}: effects on {}: {log}", host.id());
        }
    }
    Ok(())
}

/// The newest deployment when it is the one that was asked for; else it is asked for again.
async fn newest_or_again(world: &World, release: &str) -> Result<i64> {
    let page: Page<Deployment> = world.api.get("deployments?limit=1").await?;
    let newest = page
        .items
        .first()
        .filter(|newest| newest.release.as_str() == release);
    match newest {
        Some(deployment) => Ok(deployment.number),
        None => Ok(world.starts_deploy(release).await?.number),
    }
}
