//! What a person decides on the page of a failure: try a host again, leave it out, go on.

use anyhow::{Context as _, Result, ensure};
use pointsman_browser_tests::Window;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::World;

use crate::flow::is_as_fresh;
use crate::told::{acted, asserts};
use crate::world::{held, settled, signed_in, world};

/// The job that switched a host last.
async fn switched(world: &World, number: i64, host: &str) -> Result<i64> {
    let deployment = world.deployment(number).await?;
    let of = deployment.hosts.iter().find(|one| one.host.as_str() == host);
    of.and_then(|host| host.job).context("a host with a job")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_failed_is_tried_again_left_out_and_the_rest_decided_by_presses() -> Result<()> {
    let world = world().await?;
    settled(world).await?;
    let number = held(world).await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    tab.load(&format!("/d/{number}")).await?;
    let first = switched(world, number, "web-1").await?;
    tab.press("Retry web-1").await?;
    world
        .deployment_is(number, "paused again", |one| {
            let again = one
                .hosts
                .iter()
                .any(|host| host.job.is_some_and(|job| job > first));
            one.state == DeploymentState::Paused && again
        })
        .await?;
    asserts(world, number, DeploymentState::Paused, "deployment.retry").await?;

    // The second wave is as unhealthy as the first.
    tab.press("Skip web-1").await?;
    world
        .deployment_is(number, "paused by the rest", |one| {
            let rest = one
                .hosts
                .iter()
                .any(|host| host.host.as_str() != "web-1" && host.state == "failed");
            one.state == DeploymentState::Paused && rest
        })
        .await?;
    let detail = asserts(world, number, DeploymentState::Paused, "deployment.skip").await?;
    ensure!(detail["hosts"][0] == "web-1", "{detail}");
    tab.shows("left out").await?;

    tab.press("Go on").await?;
    let ended = world.ended(number).await?;
    asserts(world, number, ended.state, "deployment.decide").await?;
    acted(
        &world.sandbox,
        &format!("deployment #{number}"),
        "deployment.decide",
        "done",
    )
    .await?;
    let fresh = window.tab(&world.sandbox.url()).await?;
    is_as_fresh(&tab, &fresh).await?;
    window.close().await?;
    settled(world).await
}
