//! Pages for everybody: no violation that axe knows, in both themes and widths; no sideways scroll; nothing
//! that moves by itself; within the budget.

use anyhow::{Context as _, Result, ensure};
use pointsman_browser_tests::{Look, Tab, Theme, Window};
use pointsman_tests::World;
use serde_json::{Value, json};

use crate::world::{signed_in, world};

/// Pages, with what they are looked at with.
const PAGES: [&str; 34] = [
    "/",
    "/p",
    "/p/shop",
    "/t/shop@production",
    "/r/shop/1",
    "/r/shop/1/files",
    "/r/shop/2/diff",
    "/r/shop/2/diff?against=1.0.0&file=dist/index.html",
    "/p/shop/recipe",
    "/t/shop@production/badge",
    "/audit/chain",
    "/d",
    "/d/1",
    "/jobs",
    "/jobs/1",
    "/jobs/1?find=cp",
    "/jobs/dead",
    "/settings/causes",
    "/settings/causes?change=1",
    "/hosts",
    "/h/web-1",
    "/migrations",
    "/gc",
    "/locks",
    "/audit",
    "/settings",
    "/settings/accounts",
    "/settings/projects",
    "/settings/projects/shop",
    "/settings/targets/shop@production",
    "/settings/document",
    "/p/shop?branch=main",
    "/profile",
    "/p/nothing",
];

/// Where the tests' own axe lies.
pub const AXE: &str = "/usr/local/lib/pointsman-tests/axe-core/package/axe.min.js";
/// Most elements of a page, and most requests and bytes of a cold one (deploy/docs/dashboard.md).
const NODES: u64 = 1500;
const REQUESTS: u64 = 6;
const BYTES: u64 = 60_000;
/// Most that a page may move by itself, as a share of the window: nothing that anybody sees. An idle machine stays below a
/// tenth of it; one that is busy elsewhere may paint before a script has told the times.
const SHIFT: f64 = 0.01;

/// Looks at pages in both themes and widths, and at 320 px; tells what each weighs.
pub async fn examine(tab: &Tab, pages: &[&str]) -> Result<Vec<String>> {
    let axe = fs_err::read_to_string(AXE).context("deploy/install-packages tests fetches it")?;
    let mut wrong = Vec::new();
    let mut weights = Vec::new();
    for theme in [Theme::Light, Theme::Dark] {
        for width in [1280, 390] {
            tab.look(Look { theme, width }).await?;
            for page in pages {
                tab.load(page).await?;
                let shift = tab.painting().await?.shift;
                if shift > SHIFT {
                    wrong.push(format!("{page} {theme:?} {width}: moved by {shift}"));
                }
                for violation in tab.violations(&axe).await? {
                    wrong.push(format!("{page} {theme:?} {width}: {violation}"));
                }
            }
        }
    }
    let narrow = Look {
        theme: Theme::Light,
        width: 320,
    };
    tab.look(narrow).await?;
    for page in pages {
        tab.load(page).await?;
        let over = tab
            .run("document.documentElement.scrollWidth - innerWidth")
            .await?;
        if over.as_i64() != Some(0) {
            wrong.push(format!("{page} is {over} px too wide at 320 px"));
        }
        let weight = tab.weight().await?;
        weights.push(format!("{page}: {weight:?}"));
        if weight.elements > NODES || weight.requests > REQUESTS || weight.bytes > BYTES {
            wrong.push(format!("{page}: {weight:?}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(weights)
}

/// Tells when each page is first seen, in the median of so many loads of a window where nothing else was done: the tools
/// that examine pages leave work behind which the next page would wait for.
async fn first_paints(tab: &Tab, pages: &[&str], loads: usize) -> Result<Vec<String>> {
    tab.look(Look {
        theme: Theme::Light,
        width: 1280,
    })
    .await?;
    let mut told = Vec::new();
    for page in pages {
        let mut paints = Vec::new();
        for _ in 0..loads {
            tab.load(page).await?;
            paints.push(tab.painting().await?.first_ms);
        }
        paints.sort_unstable_by(f64::total_cmp);
        let median = paints.get(loads / 2).context("at least one load")?;
        told.push(format!("{page}: first paint {median:.0} ms"));
    }
    Ok(told)
}

/// How often each page is loaded to tell when it is first seen: `POINTSMAN_TEST_PAINTS` asks for more.
fn loads() -> Result<usize> {
    Ok(std::env::var("POINTSMAN_TEST_PAINTS").map_or(Ok(1), |loads| loads.parse())?)
}

/// Looks at the page as it stands, in both themes and widths: one that cannot be loaded again.
pub async fn standing(tab: &Tab, what: &str) -> Result<()> {
    let axe = fs_err::read_to_string(AXE).context("deploy/install-packages tests fetches it")?;
    for (theme, width) in [
        (Theme::Light, 1280),
        (Theme::Dark, 1280),
        (Theme::Dark, 390),
        (Theme::Light, 320),
    ] {
        tab.look(Look { theme, width }).await?;
        let found = tab.violations(&axe).await?;
        ensure!(found.is_empty(), "{what} {theme:?} {width}: {found:?}");
        let over = tab
            .run("document.documentElement.scrollWidth - innerWidth")
            .await?;
        ensure!(over == 0, "{what} is {over} px too wide at {width} px");
    }
    Ok(())
}

/// The page of a plan.
async fn planned(world: &World) -> Result<String> {
    let wish = json!({ "target": "shop@production", "release": "1.0.0" });
    let plan: Value = world.api.post("plans", wish).await?;
    let hash = plan["hash"].as_str().context("a plan has a hash")?;
    Ok(format!("/plans/{hash}"))
}

/// The page of a delivery, to somebody who does not exist.
async fn delivered(world: &World) -> Result<String> {
    let to = json!({ "webhook": { "url": "https://receiver.invalid/" } });
    let channel = json!({ "name": "looked-at", "to": to });
    let _: Value = world.api.post("channels", channel).await?;
    let _: Value = world.api.post("channels/looked-at/test", json!({})).await?;
    let deliveries: Value = world.api.get("deliveries").await?;
    let number = &deliveries["items"][0]["number"];
    Ok(format!("/settings/deliveries/{number}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_readable_for_everybody_and_keeps_to_its_budget() -> Result<()> {
    let world = world().await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    let (plan, delivery) = (planned(world).await?, delivered(world).await?);
    let pages = [&PAGES[..], &[plan.as_str(), delivery.as_str()]].concat();
    for line in first_paints(&tab, &pages, loads()?).await? {
        println!("{line}");
    }
    for line in examine(&tab, &pages).await? {
        println!("{line}");
    }
    // What is shown once cannot be loaded again.
    tab.load("/settings/tokens").await?;
    tab.press("Issue a token…").await?;
    tab.fill("#issue-name", "looked-at").await?;
    tab.press("Issue the token").await?;
    tab.shows("It is shown this once").await?;
    standing(&tab, "a token that is shown once").await?;
    window.close().await
}
