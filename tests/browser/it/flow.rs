//! From a plan to a release that is live, and back, without loading a page by hand.

use anyhow::{Result, ensure};
use pointsman_browser_tests::Window;
use pointsman_shared::api::deployments::DeploymentState;

use crate::told::asserts;
use crate::world::{begins, goes_back, held, number, plans, signed_in, world};

/// Whether the deployment of the page is live.
const LIVE: &str = "document.querySelector('#head .is.ok')?.textContent.includes('live')";

/// What an open page shows must be what a fresh one shows.
pub async fn is_as_fresh(
    open: &pointsman_browser_tests::Tab,
    fresh: &pointsman_browser_tests::Tab,
) -> Result<()> {
    let path = open.path().await?;
    fresh.load(&path).await?;
    let wanted = fresh.text().await?;
    open.to_front().await?;
    for _ in 0..100 {
        if open.text().await? == wanted {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let shown = open.text().await?;
    ensure!(
        shown == wanted,
        "the open page shows\n{shown}\nand a fresh one\n{wanted}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_plans_deploys_watches_and_goes_back() -> Result<()> {
    let (world, window, tab) = begins().await?;
    let fresh = window.tab(&world.sandbox.url()).await?;
    // The way back is one press and one confirmation.
    goes_back(world, &tab).await?;
    is_as_fresh(&tab, &fresh).await?;

    plans(&tab, "shop@production", "1.1.0").await?;
    tab.shows("1.0.0 → 1.1.0").await?;
    tab.press("Deploy 1.1.0 to production").await?;
    // It is held for a moment, then goes on while the page stays open.
    tab.shows("held").await?;
    tab.until(
        "it can be undone",
        "[...document.querySelectorAll('button')].some(b => b.textContent === 'Undo')",
    )
    .await?;
    tab.until("it is live", LIVE).await?;
    world.all_serve("1.1.0").await?;
    is_as_fresh(&tab, &fresh).await?;
    let title = tab.run("document.title").await?;
    ensure!(
        title.as_str().is_some_and(|title| title.contains("live")),
        "{title}"
    );
    let number = number(&tab).await?;
    asserts(world, number, DeploymentState::Live, "deployment.request").await?;
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_can_be_undone_before_anything_is_sent() -> Result<()> {
    let (world, window, tab) = begins().await?;
    tab.load("/p/shop").await?;
    tab.run("[...document.querySelectorAll('button[name=target]')].at(-1).click()")
        .await?;
    tab.press("Deploy 1.0.0 to production").await?;
    tab.press("Undo").await?;
    tab.shows("cancelled").await?;
    let number = number(&tab).await?;
    world.ended(number).await?;
    asserts(world, number, DeploymentState::Cancelled, "deployment.cancel").await?;
    ensure!(world.jobs(number).await?.is_empty(), "nothing was sent");
    world.all_serve("1.1.0").await?;
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_seen_where_it_happened_and_decided_by_one_press() -> Result<()> {
    let (world, window, tab) = begins().await?;
    tab.load("/").await?;
    let number = held(world).await?;
    // The overview, which is open, asks for somebody; the way to the failing line is one press.
    tab.shows("needs you").await?;
    tab.run("document.querySelector('#needs a').click()").await?;
    tab.shows("paused").await?;
    tab.shows("did not pass").await?;
    tab.press("Roll back to 1.1.0").await?;
    tab.until(
        "it rolled back",
        "document.querySelector('#head .is')?.textContent.includes('rolled back')",
    )
    .await?;
    world.ended(number).await?;
    asserts(world, number, DeploymentState::RolledBack, "rollback.request").await?;
    world.all_serve("1.1.0").await?;
    let fresh = window.tab(&world.sandbox.url()).await?;
    is_as_fresh(&tab, &fresh).await?;
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_outlives_its_coordinator() -> Result<()> {
    let world = world().await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    tab.load("/d").await?;
    let coordinator = world.sandbox.coordinator(0);
    coordinator.kill().await?;
    tab.shows("reconnecting since").await?;
    coordinator.restart().await?;
    tab.until(
        "the page is live again",
        "document.getElementById('live')?.textContent === 'live'",
    )
    .await?;
    let number = world.starts_deploy("1.1.0").await?.number;
    world.ended(number).await?;
    tab.shows(&format!("#{number}")).await?;
    let fresh = window.tab(&world.sandbox.url()).await?;
    is_as_fresh(&tab, &fresh).await?;
    window.close().await
}
