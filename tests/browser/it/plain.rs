//! A browser that runs no scripts: signs in, plans, deploys, and sees it go live.

use anyhow::{Result, ensure};
use pointsman_browser_tests::Window;
use pointsman_shared::api::deployments::DeploymentState;

use crate::told::asserts;
use crate::world::{chooses, number, settled, stands, world};

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_planned_and_deployed_without_scripts() -> Result<()> {
    let world = world().await?;
    settled(world).await?;
    let window = Window::open().await?;
    let tab = window.tab(&world.sandbox.url()).await?;
    tab.without_scripts().await?;
    tab.load("/sign-in?next=/t/shop@production").await?;
    tab.press("Sign in with an API token").await?;
    tab.fill("#token", world.sandbox.token()).await?;
    tab.press("Sign in with the token").await?;
    tab.shows("in production").await?;
    let still = tab.run("document.getElementById('live').textContent").await?;
    ensure!(still == "", "no script ran");
    chooses(&tab, "1.0.0").await?;
    tab.press("Plan…").await?;
    tab.shows("1.1.0 → 1.0.0").await?;
    tab.press("Deploy 1.0.0 to production").await?;
    let number = number(&tab).await?;
    tab.shows("held").await?;
    // The page loads itself again until it is over.
    tab.until("it is live", &stands("live")).await?;
    world.all_serve("1.0.0").await?;
    asserts(world, number, DeploymentState::Live, "deployment.request").await?;
    window.close().await
}
