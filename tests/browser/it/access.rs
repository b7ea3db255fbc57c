//! Pages for everybody: no violation that axe knows, in both themes and widths; no sideways scroll; nothing
//! that moves by itself; within the budget.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use pointsman_browser_tests::{Look, Tab, Theme, Window};

use crate::world::{signed_in, world};

/// Pages, with what they are looked at with.
const PAGES: [&str; 24] = [
    "/",
    "/p",
    "/p/shop",
    "/t/shop@production",
    "/r/shop/1",
    "/r/shop/1/files",
    "/r/shop/2/diff",
    "/d",
    "/d/1",
    "/jobs",
    "/jobs/1",
    "/jobs/1?find=cp",
    "/jobs/dead",
    "/settings/causes",
    "/hosts",
    "/h/web-1",
    "/migrations",
    "/gc",
    "/locks",
    "/audit",
    "/settings",
    "/settings/accounts",
    "/profile",
    "/p/nothing",
];

/// Where the tests' own axe lies.
pub const AXE: &str = "/usr/local/lib/pointsman-tests/axe-core/package/axe.min.js";
/// Most elements of a page, and most requests and bytes of a cold one (deploy/docs/dashboard.md).
const NODES: u64 = 1500;
const REQUESTS: u64 = 6;
const BYTES: u64 = 60_000;

/// Looks at pages in both themes and widths, and at 320 px; tells what each weighs, and when it was first seen.
pub async fn examine(tab: &Tab, pages: &[&str]) -> Result<Vec<String>> {
    let axe = fs_err::read_to_string(AXE).context("deploy/install-packages tests fetches it")?;
    let mut wrong = Vec::new();
    let mut weights = Vec::new();
    let mut paints: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for theme in [Theme::Light, Theme::Dark] {
        for width in [1280, 390] {
            tab.look(Look { theme, width }).await?;
            for page in pages {
                tab.load(page).await?;
                let painting = tab.painting().await?;
                paints.entry(page).or_default().push(painting.first_ms);
                if painting.shift > 0.0 {
                    wrong.push(format!("{page} {theme:?} {width}: moved by {}", painting.shift));
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
        weights.push(format!(
            "{page}: {weight:?}, first paint {:.0} ms",
            median(paints.remove(page))
        ));
        if weight.elements > NODES || weight.requests > REQUESTS || weight.bytes > BYTES {
            wrong.push(format!("{page}: {weight:?}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(weights)
}

fn median(times: Option<Vec<f64>>) -> f64 {
    let mut times = times.unwrap_or_default();
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_readable_for_everybody_and_keeps_to_its_budget() -> Result<()> {
    let world = world().await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    for line in examine(&tab, &PAGES).await? {
        println!("{line}");
    }
    window.close().await
}
