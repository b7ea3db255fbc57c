//! A session that ends in the middle of a form: the words are there after the sign-in, and sent by one more press.

use anyhow::{Context as _, Result, ensure};
use pointsman_browser_tests::Window;
use pointsman_tests::World;
use serde_json::{Value, json};

use crate::access::standing;
use crate::told::{acted, database, pointsman};
use crate::world::{signed_in, world};

/// Causes that were kept of what was typed.
async fn kept(world: &World) -> Result<i64> {
    let causes = sqlx::query_scalar("SELECT count(*) FROM known_cause WHERE pattern = 'the fair is on'");
    Ok(causes.fetch_one(&mut database(&world.sandbox).await?).await?)
}

/// Ends every session, and lets something happen by which open pages learn of it.
async fn ends_sessions(world: &World) -> Result<()> {
    sqlx::query("UPDATE session SET ended_at = now()")
        .execute(&mut database(&world.sandbox).await?)
        .await?;
    let lock = json!({ "reason": "something happens" });
    let locked = world
        .api
        .try_put::<Value>("targets/shop@production/lock", lock)
        .await?;
    ensure!(locked.is_ok(), "{locked:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_in_the_middle_of_a_form_takes_no_words_with_it() -> Result<()> {
    let world = world().await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    tab.load("/settings/causes").await?;
    tab.press("New cause…").await?;
    tab.fill("#add-pattern", "the fair is on").await?;
    tab.fill("#add-sentence", "The disk & its friends are full")
        .await?;
    ends_sessions(world).await?;
    tab.until(
        "it says that it is signed out",
        "document.getElementById('live').textContent.startsWith('signed out')",
    )
    .await?;
    tab.run("document.getElementById('add-sentence').form.requestSubmit()")
        .await?;
    tab.shows("What you typed goes with you").await?;
    standing(&tab, "the sign-in with a form").await?;
    tab.press("Sign in with an API token").await?;
    tab.fill("#token", world.sandbox.token()).await?;
    tab.press("Sign in with the token").await?;
    tab.shows("Press once more").await?;
    tab.shows("The disk & its friends are full").await?;
    standing(&tab, "the page that shows it").await?;
    ensure!(kept(world).await? == 0, "nothing is sent by itself");
    tab.press("Send it now").await?;
    tab.until("the page is back", "location.pathname === '/settings/causes'")
        .await?;
    tab.shows("Saved: the known cause.").await?;
    tab.until("the address is that of the page alone", "location.search === ''")
        .await?;
    is_kept(world).await?;
    tab.load("/locks").await?;
    tab.press("Unlock shop@production").await?;
    tab.shows("No target is locked").await?;
    window.close().await
}

/// What was typed is kept once, by an act, and the operator's command tells it.
async fn is_kept(world: &World) -> Result<()> {
    ensure!(kept(world).await? == 1, "it is kept once");
    let told = pointsman(&world.sandbox, &["cause", "ls"])?;
    let rows = told["items"].as_array().or_else(|| told.as_array());
    let cause = rows
        .context("causes")?
        .iter()
        .find(|cause| cause["pattern"] == "the fair is on")
        .context("the cause that was typed")?;
    ensure!(cause["sentence"] == "The disk & its friends are full", "{cause}");
    let object = format!("cause {}", cause["number"]);
    acted(&world.sandbox, &object, "cause.add", "done")
        .await
        .map(drop)
}
