//! Without a mouse, with colours of one's own, enlarged, and without motion.

use anyhow::{Context as _, Result, ensure};
use pointsman_browser_tests::{Look, Tab, Theme, Window};

use crate::access::AXE;
use crate::world::{signed_in, world};

/// Presses Tab until what has the focus says these words; every stop on the way must be seen to have it.
async fn tab_to(tab: &Tab, words: &str) -> Result<()> {
    let says = format!(
        "(() => {{ const a = document.activeElement;
          return (a.labels?.[0]?.textContent ?? a.textContent ?? '').trim().startsWith({}); }})()",
        serde_json::Value::from(words)
    );
    for _ in 0..120 {
        tab.key("Tab").await?;
        let seen = tab
            .run(
                "(() => { const s = getComputedStyle(document.activeElement);
                  return document.activeElement === document.body || s.outlineStyle !== 'none' || s.boxShadow !== 'none'; })()",
            )
            .await?;
        ensure!(seen == true, "{:?} has the focus unseen", focused(tab).await?);
        if tab.run(&says).await? == true {
            return Ok(());
        }
    }
    anyhow::bail!("Tab never reached {words:?}; it is at {}", focused(tab).await?)
}

async fn focused(tab: &Tab) -> Result<String> {
    let html = tab.run("document.activeElement.outerHTML.slice(0, 200)").await?;
    Ok(html.as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_takes_no_mouse() -> Result<()> {
    let world = world().await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    tab.load("/").await?;
    // The palette leads to the target.
    tab.chord("k").await?;
    tab.types("shop@prod").await?;
    tab.until(
        "it is found",
        "document.querySelector('#finds [aria-selected=true]')?.textContent.includes('shop@production')",
    )
    .await?;
    tab.key("Enter").await?;
    tab.until(
        "the target is there",
        "location.pathname === '/t/shop@production'",
    )
    .await?;
    tab_to(&tab, "Release").await?;
    tab.key("ArrowDown").await?;
    tab_to(&tab, "Plan…").await?;
    tab.key("Enter").await?;
    tab.until("the plan is there", "location.pathname.startsWith('/plans/')")
        .await?;
    tab_to(&tab, "Deploy ").await?;
    tab.key("Enter").await?;
    tab.until("the deployment is there", "location.pathname.startsWith('/d/')")
        .await?;
    // While it is patched, whoever stands somewhere stays there.
    tab_to(&tab, "production").await?;
    let stood = focused(&tab).await?;
    tab.until(
        "it is live",
        "document.querySelector('#head .is.ok')?.textContent.includes('live')",
    )
    .await?;
    ensure!(
        focused(&tab).await? == stood,
        "{} was {stood}",
        focused(&tab).await?
    );
    let number: i64 = tab.path().await?.trim_start_matches("/d/").parse()?;
    let ended = world.ended(number).await?;
    world.all_serve(ended.release.as_str()).await?;
    // The sheet names what works here, and goes by Escape.
    tab.key("?").await?;
    tab.until(
        "the sheet is open",
        "document.getElementById('keys')?.open === true",
    )
    .await?;
    tab.key("Escape").await?;
    tab.until(
        "the sheet is gone",
        "document.getElementById('keys')?.open === false",
    )
    .await?;
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_stand_enlarged_still_and_in_colours_of_ones_own() -> Result<()> {
    let world = world().await?;
    let axe = fs_err::read_to_string(AXE).context("deploy/install-packages tests fetches it")?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    // Twice as large on a screen of 1280 px is a page of 640.
    tab.look(Look {
        theme: Theme::Light,
        width: 640,
    })
    .await?;
    let pages = ["/", "/p/shop", "/d/1", "/t/shop@production", "/hosts", "/jobs/1"];
    for page in pages {
        tab.load(page).await?;
        let over = tab
            .run("document.documentElement.scrollWidth - innerWidth")
            .await?;
        ensure!(over == 0, "{page} is {over} px too wide at twice the size");
        let moving = tab.run("document.getAnimations().length").await?;
        ensure!(moving == 0, "{page} moves where motion is not wanted");
    }
    tab.forced_colours().await?;
    for page in pages {
        tab.load(page).await?;
        let found = tab.violations(&axe).await?;
        ensure!(found.is_empty(), "{page} in forced colours: {found:?}");
        // Whatever a colour says, a word says, too.
        let mute = tab
            .run("[...document.querySelectorAll('.is, .tick')].filter(e => !(e.textContent + (e.ariaLabel ?? '')).trim()).length")
            .await?;
        ensure!(mute == 0, "{page} says something by colour alone");
    }
    window.close().await
}
