//! Many tabs, and tabs that nobody looks at for a while: all of them end with what a fresh page shows.

use anyhow::{Result, ensure};
use pointsman_browser_tests::{Line, Tab, Window};

use crate::flow::is_as_fresh;
use crate::world::{settled, signed_in, stands, world};

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

/// Gives each patch twice, and older ones once more after newer ones.
const TORN: &str = "{
    const Whole = EventSource;
    window.EventSource = class extends Whole {
        addEventListener(kind, listener) {
            if (kind !== 'patch') return super.addEventListener(kind, listener);
            const before = [];
            super.addEventListener(kind, ({ data }) => {
                for (const one of [data, data, ...before.slice(-3)]) listener({ data: one });
                before.push(data);
                window.torn = before.length;
            });
        }
    };
}";

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_miss_a_deployment_or_hear_of_it_out_of_order_end_right() -> Result<()> {
    let world = world().await?;
    settled(world).await?;
    let line = Line::to(&world.sandbox.url()).await?;
    let window = Window::open().await?;
    let far = window.tab(&line.url()).await?;
    let torn = window.tab(&world.sandbox.url()).await?;
    let fresh = signed_in(&window, world).await?;
    torn.before_scripts(TORN).await?;
    let number = world.starts_deploy("1.0.0").await?.number;
    let page = format!("/d/{number}");
    torn.load(&page).await?;
    far.to_front().await?;
    far.load(&page).await?;
    far.until(
        "the page is live",
        "document.getElementById('live')?.textContent === 'live'",
    )
    .await?;
    line.cut();
    far.shows("reconnecting since").await?;
    torn.to_front().await?;
    world.ended(number).await?;
    torn.until("it is live", &stands("live")).await?;
    let heard = torn.run("window.torn").await?;
    ensure!(
        heard.as_i64().is_some_and(|heard| heard > 2),
        "patches came: {heard}"
    );
    is_as_fresh(&torn, &fresh).await?;
    line.mend();
    far.to_front().await?;
    far.until("it is live", &stands("live")).await?;
    is_as_fresh(&far, &fresh).await?;
    is_a_record(&torn).await?;
    window.close().await
}

/// On paper the page is what was, who, when and how long; nothing that could be pressed.
async fn is_a_record(tab: &Tab) -> Result<()> {
    tab.on_paper().await?;
    let seen = tab
        .run(
            "(() => { const seen = one => one.checkVisibility();
             return { pressed: [...document.querySelectorAll('button, form, summary, nav, .actions, #log')].filter(seen).map(one => one.outerHTML.slice(0, 80)),
                      kept: ['#head', '#hosts', '#decisions'].filter(id => !document.querySelector(id + ' > *')?.checkVisibility()),
                      named: getComputedStyle(document.body, '::before').content }; })()",
        )
        .await?;
    ensure!(
        seen["pressed"] == serde_json::json!([]) && seen["kept"] == serde_json::json!([]),
        "{seen}"
    );
    let named = seen["named"].as_str().unwrap_or_default();
    ensure!(named.contains("/d/"), "paper names its page: {named}");
    Ok(())
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
