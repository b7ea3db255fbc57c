//! How soon an open page shows what happened. Times are printed, not judged.

use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use pointsman_browser_tests::Window;
use serde_json::{Value, json};

use crate::world::{signed_in, world};

const ROUNDS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_seen_on_an_open_page_by_itself() -> Result<()> {
    let world = world().await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    tab.load("/locks").await?;
    tab.until(
        "the page is live",
        "document.getElementById('live')?.textContent === 'live'",
    )
    .await?;
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let reason = format!("round {round} of {ROUNDS}");
        let begun = Instant::now();
        let lock: Value = world
            .api
            .try_put("targets/shop@production/lock", json!({ "reason": reason }))
            .await?
            .map_err(|refused| anyhow!("{refused:?}"))?;
        ensure!(lock.to_string().contains(&reason), "{lock}");
        tab.run(&format!(
            "new Promise(done => {{ const look = () => document.getElementById('main').textContent.includes({})
             ? done(true) : requestAnimationFrame(look); look(); }})",
            Value::from(reason)
        ))
        .await?;
        times.push(begun.elapsed().as_millis());
    }
    let lifted = world
        .api
        .try_delete::<Value>("targets/shop@production/lock")
        .await?;
    ensure!(lifted.is_ok(), "{lifted:?}");
    times.sort_unstable();
    println!(
        "from the request that changes something until a page shows it: median {} ms, slowest of {ROUNDS} {} ms",
        times[ROUNDS / 2],
        times[ROUNDS - 1]
    );
    window.close().await
}
