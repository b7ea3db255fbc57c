//! Several people, or one who presses twice; and whatever refuses a press says who, and why.

use anyhow::{Result, ensure};
use pointsman_browser_tests::{Look, Tab, Theme, Window};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::World;
use serde_json::json;

use crate::told::{acted, asserts, database, pointsman};
use crate::world::{begins, goes_back, number, plans, settled, signed_in, stands, world};

/// Deployments that there are.
async fn deployments(world: &World) -> Result<i64> {
    let count = sqlx::query_scalar("SELECT count(*) FROM deployment");
    Ok(count.fetch_one(&mut database(&world.sandbox).await?).await?)
}

/// Presses the button of a plan so many times at once, past the guard that a page has against it; returns where each
/// press led.
async fn presses(tab: &Tab, times: usize) -> Result<Vec<String>> {
    let led = tab
        .run(&format!(
            "(async () => {{ const form = document.querySelector('form[action^=\"/plans/\"]');
             const press = () => fetch(form.action, {{ method: 'POST', body: new URLSearchParams(new FormData(form)) }})
               .then(answer => new URL(answer.url).pathname);
             return await Promise.all(Array.from({{ length: {times} }}, press)); }})()"
        ))
        .await?;
    Ok(serde_json::from_value(led)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_press_twice_at_once_land_on_one_deployment() -> Result<()> {
    let world = world().await?;
    settled(world).await?;
    let (mine, theirs) = (Window::open().await?, Window::open().await?);
    let (one, other) = (signed_in(&mine, world).await?, signed_in(&theirs, world).await?);
    plans(&one, "shop@production", "1.0.0").await?;
    one.shows("Deploy 1.0.0 to production").await?;
    let plan = one.path().await?;
    other.load(&plan).await?;
    let before = deployments(world).await?;
    let (first, second) = tokio::join!(presses(&one, 2), presses(&other, 2));
    let mut led = [first?, second?].concat();
    led.sort();
    led.dedup();
    ensure!(
        led.len() == 1 && led[0].starts_with("/d/"),
        "the presses led to {led:?}"
    );
    ensure!(
        deployments(world).await? == before + 1,
        "one press is one deployment"
    );
    one.load(&led[0]).await?;
    let number = number(&one).await?;
    asserts(world, number, DeploymentState::Held, "deployment.request").await?;
    one.press("Undo").await?;
    one.until("it is undone", &stands("cancelled")).await?;
    asserts(world, number, DeploymentState::Cancelled, "deployment.cancel").await?;
    theirs.close().await?;
    mine.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_and_a_stop_refuse_with_their_reason_and_a_phone_goes_back_in_two_presses() -> Result<()> {
    let (world, window, tab) = begins().await?;
    tab.look(Look {
        theme: Theme::Dark,
        width: 390,
    })
    .await?;
    let before = deployments(world).await?;
    tab.load("/locks").await?;
    tab.press("Lock a target…").await?;
    tab.run("document.getElementById('lock-target').value = 'shop@production'")
        .await?;
    tab.fill("#lock-why", "the books are counted").await?;
    tab.press("Lock it").await?;
    tab.until(
        "it is locked",
        "Boolean(document.getElementById('lock-shop@production'))",
    )
    .await?;
    acted(&world.sandbox, "shop@production", "target.lock", "done").await?;
    let told = pointsman(&world.sandbox, &["locks"])?;
    ensure!(told.to_string().contains("the books are counted"), "{told}");
    is_refused(&tab, "the books are counted").await?;
    acted(&world.sandbox, "shop@production", "deployment.request", "refused").await?;
    tab.load("/locks").await?;
    tab.press("Unlock shop@production").await?;

    let stop = world
        .api
        .try_put::<serde_json::Value>("stop", json!({ "reason": "the hall is dark" }));
    ensure!(stop.await?.is_ok(), "everything stops");
    is_refused(&tab, "the hall is dark").await?;
    tab.load("/locks").await?;
    tab.press("Lift the stop").await?;
    tab.shows("Nothing is stopped").await?;
    ensure!(deployments(world).await? == before, "nothing was deployed");

    goes_back(world, &tab).await?;
    let wide = tab
        .run("document.documentElement.scrollWidth - innerWidth")
        .await?;
    ensure!(wide == 0, "the page is {wide} px too wide for a phone");
    window.close().await
}

/// A plan is refused for this reason, on the page of the plan or by the press.
async fn is_refused(tab: &Tab, reason: &str) -> Result<()> {
    plans(tab, "shop@production", "1.0.0").await?;
    tab.press("Deploy 1.0.0 to production").await?;
    tab.until(
        "the press is answered",
        "location.pathname.startsWith('/plans/') && document.title.includes('Locked')",
    )
    .await?;
    tab.shows(reason).await
}
