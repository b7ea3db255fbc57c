//! What an open page keeps while it is patched: words without a place any more, and the row under the pointer.

use anyhow::{Result, ensure};
use pointsman_browser_tests::{Tab, Window};
use pointsman_tests::World;
use serde_json::{Value, json};

use crate::flow::is_as_fresh;
use crate::world::{signed_in, world};

/// What is offered at the foot of the window.
const OFFERED: &str = "document.querySelector('#newer button')?.textContent";

/// The row under the pointer, and where it stands.
const UNDER: &str = "(() => { const row = document.querySelector('tbody tr:hover');
    return [row.id, Math.round(row.getBoundingClientRect().top)]; })()";

async fn offers(tab: &Tab, words: &str) -> Result<()> {
    let offered = format!("{OFFERED} === {}", Value::from(words));
    tab.until(&format!("{words:?} is offered"), &offered).await
}

async fn locks(world: &World) -> Result<()> {
    let (path, reason) = ("targets/shop@production/lock", json!({ "reason": "a look" }));
    let locked = world.api.try_put::<Value>(path, reason).await?;
    ensure!(locked.is_ok(), "{locked:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn words_and_the_row_under_the_pointer_stay_until_what_is_newer_is_asked_for() -> Result<()> {
    let world = world().await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    let fresh = window.tab(&world.sandbox.url()).await?;
    tab.to_front().await?;

    // The trail grows at its top.
    tab.load("/audit").await?;
    tab.points_at("tbody tr:nth-child(3) th").await?;
    let before = tab.run(UNDER).await?;
    locks(world).await?;
    offers(&tab, "1 new - show").await?;
    locks(world).await?;
    offers(&tab, "2 new - show").await?;
    ensure!(tab.run(UNDER).await? == before, "the row stays under the pointer");
    tab.press("2 new - show").await?;
    let shown = tab.run("document.querySelector('tbody tr').textContent").await?;
    ensure!(
        shown.as_str().is_some_and(|row| row.contains("target.lock")),
        "{shown}"
    );
    ensure!(tab.run(OFFERED).await? == Value::Null, "nothing waits any more");
    is_as_fresh(&tab, &fresh).await?;

    // A form goes while somebody writes into it: the words stay until they are given up.
    tab.load("/locks").await?;
    tab.press("Stop everything…").await?;
    tab.fill("#stop-why", "the hall is dark").await?;
    tab.key("Tab").await?;
    let stop = world
        .api
        .try_put::<Value>("stop", json!({ "reason": "somebody was quicker" }));
    ensure!(stop.await?.is_ok(), "everything stops");
    offers(&tab, "Newer, without what you typed - show").await?;
    let kept = tab.run("document.getElementById('stop-why').value").await?;
    ensure!(kept == "the hall is dark", "{kept}");
    tab.press("Newer, without").await?;
    tab.press("Lift the stop").await?;
    tab.shows("Nothing is stopped").await?;
    is_as_fresh(&tab, &fresh).await?;
    tab.press("Unlock shop@production").await?;
    tab.shows("No target is locked").await?;
    window.close().await
}
