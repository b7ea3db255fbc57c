//! Pages where there is nothing yet, very much, or something wrong: no violation, no sideways scroll, within the budget.

use anyhow::{Context as _, Result, ensure};
use pointsman_browser_tests::{Tab, Window};
use pointsman_sandbox::{InventedFleet, InventedPast, Options, Sandbox};
use pointsman_tests::shared;

use crate::access::examine;
use crate::told::{acted, database, pointsman};
use crate::world::{held, settled, signed_in, signed_in_at, world};

/// Lists and forms, which stand with nothing in them, too.
const LISTS: [&str; 20] = [
    "/",
    "/p",
    "/d",
    "/jobs",
    "/hosts",
    "/migrations",
    "/gc",
    "/locks",
    "/audit",
    "/find?q=a",
    "/settings/accounts",
    "/settings/projects",
    "/settings/document",
    "/settings/tokens",
    "/settings/environments",
    "/settings/variables",
    "/settings/channels",
    "/settings/deliveries",
    "/settings/webhooks",
    "/profile",
];

/// Pages of something, in an invented fleet.
const CROWDED: [&str; 10] = [
    "/?at=2026-11-20T12:00",
    "/?show=problems",
    "/p/accounts-010",
    "/t/accounts-010@production",
    "/r/accounts-010/12",
    "/d/500",
    "/jobs/5000",
    "/jobs?state=failed",
    "/h/node-010",
    "/gc?project=accounts-010",
];

async fn start() -> Result<Sandbox> {
    let options = Options {
        hosts: 0,
        builders: 0,
        // Invented hosts are heard by nobody, and would soon be lost to whoever sweeps.
        roles: vec!["http".to_owned()],
        ..shared().await?
    };
    Ok(Sandbox::start(options).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_with_nothing_on_them_say_what_will_be_there() -> Result<()> {
    let sandbox = start().await?;
    let window = Window::open().await?;
    let tab = window.tab(&sandbox.url()).await?;
    is_let_in(&tab, &sandbox).await?;
    tab.shows("No project is deployed from here yet").await?;
    tab.shows("pointsman apply -f").await?;
    tab.load("/hosts").await?;
    tab.shows("No host has joined yet").await?;
    examine(&tab, &LISTS).await?;
    window.close().await
}

/// The first person comes by the invitation that the console printed, and is an admin.
async fn is_let_in(tab: &Tab, sandbox: &Sandbox) -> Result<()> {
    let url = sandbox.url();
    let path = sandbox.invitation().strip_prefix(url.trim_end_matches('/'));
    let path = path.context("an invitation to this coordinator")?;
    examine(tab, &["/sign-in", path]).await?;
    tab.load(path).await?;
    tab.fill("#name", "lucy").await?;
    for field in ["#password", "#again"] {
        tab.fill(field, "zebra stapler pontoon fig").await?;
    }
    tab.press("Make the account").await?;
    tab.until("they are in", "location.pathname === '/'").await?;
    let accounts = pointsman(sandbox, &["account", "ls"])?;
    ensure!(accounts.to_string().contains("\"lucy\""), "{accounts}");
    let known = "SELECT count(*) FROM account JOIN principal ON principal.id = account.principal_id WHERE name = 'lucy'";
    let known: i64 = sqlx::query_scalar(known)
        .fetch_one(&mut database(sandbox).await?)
        .await?;
    ensure!(known == 1, "one account is kept");
    acted(sandbox, "account lucy", "session.begin", "done")
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_large_fleet_keep_to_their_budget() -> Result<()> {
    let sandbox = start().await?;
    let fleet = InventedFleet {
        projects: 120,
        environments: 5,
        hosts: 500,
    };
    let past = InventedPast {
        days: 90,
        releases: 12,
        pace: 1.0,
        live: true,
    };
    sandbox.invent_fleet(fleet).await?;
    sandbox.invent_past(past).await?;
    sandbox.beat_for_invented_hosts().await?;
    let window = Window::open().await?;
    let tab = signed_in_at(&window, &sandbox).await?;
    tab.load("/").await?;
    tab.shows("More projects").await?;
    for line in [examine(&tab, &LISTS).await?, examine(&tab, &CROWDED).await?].concat() {
        println!("{line}");
    }
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_failure_are_as_readable_as_others() -> Result<()> {
    let world = world().await?;
    settled(world).await?;
    let number = held(world).await?;
    let failed = world
        .jobs(number)
        .await?
        .into_iter()
        .find(|job| job.reason.is_some())
        .context("a job says why it failed")?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    let (deployment, job) = (format!("/d/{number}"), format!("/jobs/{}", failed.number));
    examine(
        &tab,
        &["/", &deployment, &job, "/t/shop@production", "/hosts", "/h/web-1"],
    )
    .await?;
    tab.load(&deployment).await?;
    tab.press("Roll back to").await?;
    world.ended(number).await?;
    window.close().await
}
