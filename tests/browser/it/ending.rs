//! A session that ends in the middle of a form: the words are there after the sign-in, and sent by one more press.

use anyhow::{Context as _, Result, ensure};
use pointsman_browser_tests::Window;
use serde_json::json;

use crate::access::standing;
use crate::told::{acted, database, pointsman};
use crate::world::{signed_in, world};

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
    sqlx::query("UPDATE session SET ended_at = now()")
        .execute(&mut database(&world.sandbox).await?)
        .await?;
    // Something happens, and the page learns that it is signed out; it is not taken away.
    let lock = json!({ "reason": "something happens" });
    let locked = world
        .api
        .try_put::<serde_json::Value>("targets/shop@production/lock", lock);
    ensure!(locked.await?.is_ok(), "it is locked");
    tab.until(
        "it says that it is signed out",
        "document.getElementById('live').textContent.startsWith('signed out')",
    )
    .await?;
    let causes = "SELECT count(*) FROM known_cause WHERE pattern = 'the fair is on'";
    let kept = || async {
        let count: i64 = sqlx::query_scalar(causes)
            .fetch_one(&mut database(&world.sandbox).await?)
            .await?;
        anyhow::Ok(count)
    };
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
    ensure!(kept().await? == 0, "nothing is sent by itself");
    tab.press("Send it now").await?;
    tab.until("the page is back", "location.pathname === '/settings/causes'")
        .await?;
    ensure!(kept().await? == 1, "it is kept once");
    let told = pointsman(&world.sandbox, &["cause", "ls"])?;
    let items = told["items"]
        .as_array()
        .cloned()
        .or_else(|| told.as_array().cloned());
    let cause = items
        .context("causes")?
        .into_iter()
        .find(|cause| cause["pattern"] == "the fair is on");
    let cause = cause.context("the cause that was typed")?;
    ensure!(cause["sentence"] == "The disk & its friends are full", "{cause}");
    acted(
        &world.sandbox,
        &format!("cause {}", cause["number"]),
        "cause.add",
        "done",
    )
    .await?;
    tab.load("/locks").await?;
    tab.press("Unlock shop@production").await?;
    tab.shows("No target is locked").await?;
    window.close().await
}
