//! Many tabs, and tabs that nobody looks at for a while: all of them end with what a fresh page shows.

use anyhow::{Result, ensure};
use pointsman_browser_tests::Window;

use crate::flow::is_as_fresh;
use crate::world::{signed_in, world};

#[tokio::test(flavor = "multi_thread")]
async fn ten_tabs_leave_one_another_room_and_all_end_right() -> Result<()> {
    let world = world().await?;
    let window = Window::open().await?;
    let first = signed_in(&window, world).await?;
    let mut tabs = vec![first];
    for _ in 1..10 {
        tabs.push(window.tab(&world.sandbox.url()).await?);
    }
    for tab in &tabs {
        tab.to_front().await?;
        tab.load("/d").await?;
        tab.shows("Newest first").await?;
    }
    // A browser has six connections to one address; a page still loads, and is live.
    let last = &tabs[9];
    last.load("/hosts").await?;
    last.until(
        "the page is live",
        "document.getElementById('live')?.textContent === 'live'",
    )
    .await?;
    last.load("/d").await?;
    let number = world.starts_deploy("1.1.0").await?.number;
    world.ended(number).await?;
    let fresh = window.tab(&world.sandbox.url()).await?;
    for tab in &tabs {
        tab.to_front().await?;
        tab.shows(&format!("#{number}")).await?;
        is_as_fresh(tab, &fresh).await?;
    }
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_on_one_page_know_of_each_other() -> Result<()> {
    let world = world().await?;
    let (mine, theirs) = (Window::open().await?, Window::open().await?);
    let (one, other) = (signed_in(&mine, world).await?, signed_in(&theirs, world).await?);
    one.load("/d/1").await?;
    let alone = one.run("document.querySelector('.company') === null").await?;
    ensure!(alone == true, "nobody else looks yet");
    other.load("/d/1").await?;
    one.shows("also here").await?;
    other.shows("also here").await?;
    theirs.close().await?;
    one.until("they left", "document.querySelector('.company') === null")
        .await?;
    mine.close().await
}
