//! What goes on by itself once somebody pressed: a build, a failure that goes back, and a collection that takes what its
//! page said and nothing else.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use pointsman_browser_tests::{Tab, Window};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::World;
use pointsman_tests::world::until;

use crate::flow::is_as_fresh;
use crate::pay::{TARGET, live, noted, pay, runs};
use crate::told::{acted, asserts, database, pointsman};
use crate::world::{number, plans, signed_in, stands};

/// How a release stands in the database.
const RELEASE: &str = "SELECT release.state FROM release JOIN project ON project.id = release.project_id
    WHERE project.name = 'pay' AND release.number = $1";

#[tokio::test(flavor = "multi_thread")]
async fn a_ref_is_built_by_a_press_and_its_failure_in_production_goes_back_by_itself() -> Result<()> {
    let world = pay().await?;
    live(world, &["2.0.0"]).await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    tab.load("/p/pay").await?;
    tab.fill("#ref", "2.3.0").await?;
    tab.press("Build").await?;
    tab.until("the release is there", "location.pathname.startsWith('/r/pay/')")
        .await?;
    let path = tab.path().await?;
    let built: i32 = path.trim_start_matches("/r/pay/").parse()?;
    // The page follows the build to its end by itself.
    tab.until(
        "it is built",
        "document.querySelector('#release .is.ok') !== null",
    )
    .await?;
    let detail = acted(&world.sandbox, "pay", "release.request", "done").await?;
    ensure!(detail["release"] == built && detail["ref"] == "2.3.0", "{detail}");
    let state: String = sqlx::query_scalar(RELEASE)
        .bind(built)
        .fetch_one(&mut database(&world.sandbox).await?)
        .await?;
    let shown = pointsman(&world.sandbox, &["versions", "pay", "2.3.0"])?;
    ensure!(state == "built" && shown["state"] == "built", "{state}: {shown}");

    // The same commit is not built twice unasked.
    tab.load("/p/pay").await?;
    tab.fill("#ref", "2.3.0").await?;
    tab.press("Build").await?;
    tab.shows("2.3.0 is built already").await?;

    plans(&tab, TARGET, "2.3.0").await?;
    tab.press("Deploy 2.3.0 to production").await?;
    tab.until("it was rolled back", &stands("rolled back")).await?;
    let failed = number(&tab).await?;
    asserts(world, failed, DeploymentState::RolledBack, "deployment.request").await?;
    ensure!(runs(world, "web-1").await? == "2.0.0", "the one before is back");
    // Why is on the page, and how it was decided.
    tab.shows("roll back to 2.0.0").await?;
    let fresh = window.tab(&world.sandbox.url()).await?;
    is_as_fresh(&tab, &fresh).await?;
    window.close().await
}

/// Folders of releases on a host.
fn folders(world: &World, host: &str) -> Result<BTreeSet<String>> {
    let releases = world.sandbox.host(host)?.root("pay").join("releases");
    fs_err::read_dir(releases)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// What the page says of `web-1`: labels that go, and labels that stay.
async fn fates(tab: &Tab) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let rows = tab
        .run(
            "[...document.querySelectorAll('#lying tbody tr')]
             .filter(row => row.querySelector('[data-label=Hosts]').textContent.includes('web-1'))
             .map(row => [row.querySelector('th').textContent.trim(),
                          row.querySelector('[data-label=Fate]').textContent.includes('goes')])",
        )
        .await?;
    let mut fates = (BTreeSet::new(), BTreeSet::new());
    for row in rows.as_array().context("rows")? {
        let label = row[0].as_str().context("a label")?.to_owned();
        if row[1] == true {
            fates.0.insert(label);
        } else {
            fates.1.insert(label);
        }
    }
    Ok(fates)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_says_will_go_is_what_a_press_removes() -> Result<()> {
    let world = pay().await?;
    live(world, &["2.0.0", "2.1.0", "2.2.0"]).await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    tab.load("/gc?project=pay").await?;
    let (going, staying) = fates(&tab).await?;
    ensure!(
        going.contains("2.0.0") && staying.contains("2.1.0") && staying.contains("2.2.0"),
        "{going:?} {staying:?}"
    );
    let told = pointsman(&world.sandbox, &["gc", "plan", "pay"])?;
    let planned: BTreeSet<String> = told["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|item| item["host"] == "web-1" && item["stays"].is_null())
        .filter_map(|item| item["release"].as_str().map(str::to_owned))
        .collect();
    ensure!(planned == going, "{planned:?} {going:?}");
    let before = folders(world, "web-1")?;

    tab.press("Collect now…").await?;
    tab.fill("#collect-why", "the disks").await?;
    tab.press("Collect the garbage of pay").await?;
    let gone = until("what goes is gone", || async {
        let left = folders(world, "web-1")?;
        let gone = before.len() - left.len();
        Ok((gone >= going.len()).then_some(gone))
    })
    .await?;
    ensure!(gone == going.len(), "{gone} folders went, not {}", going.len());
    let detail = acted(&world.sandbox, TARGET, "garbage.collect", "done").await?;
    ensure!(detail["reason"] == "the disks", "{detail}");
    let lying =
        "SELECT count(*) FROM placement_release AS lies JOIN placement ON placement.id = lies.placement_id
        JOIN target ON target.id = placement.target_id JOIN project ON project.id = target.project_id
        WHERE project.name = 'pay' AND placement.host_id = 'web-1' AND placement.retired_at IS NULL";
    until("the database says so", || async {
        let rows: i64 = sqlx::query_scalar(lying)
            .fetch_one(&mut database(&world.sandbox).await?)
            .await?;
        Ok((usize::try_from(rows)? == staying.len()).then_some(()))
    })
    .await?;
    tab.load("/gc?project=pay").await?;
    let (left, stay) = fates(&tab).await?;
    ensure!(left.is_empty() && stay == staying, "{left:?} {stay:?}");
    // It comes back out of the trash, and with it the way to deploy it at once.
    tab.press("Bring one back…").await?;
    tab.press("Bring this one back").await?;
    noted(world, TARGET, "garbage.undo").await?;
    until("one is back", || async {
        Ok((folders(world, "web-1")?.len() > before.len() - going.len()).then_some(()))
    })
    .await?;
    let fresh = window.tab(&world.sandbox.url()).await?;
    is_as_fresh(&tab, &fresh).await?;
    window.close().await
}
