//! A second project in the same world, with a database of its own: the gate of migrations, and runs that are paused and
//! cancelled.

use anyhow::{Context as _, Result, ensure};
use pointsman_browser_tests::Window;
use pointsman_shared::api::Page;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_tests::world::until;
use pointsman_tests::{Repository, World};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::flow::is_as_fresh;
use crate::told::{acted, asserts, database, pointsman};
use crate::world::{number, signed_in, stands, world};

pub const TARGET: &str = "pay@production";
const RECIPE: &str = r#"
[build]
steps = ["mkdir -p dist && cp src/* dist/"]
include = ["dist/**", "bin/**", "healthz", "db/**"]

[health]
command = ["bin/healthy"]
passes = 1
interval = "100ms"
deadline = "60s"
asserts_release = false

[migrations.pre]
sql = "db/pre"
database_url = "${DATABASE_URL}"

[migrations.post]
sql = "db/post"
database_url = "${DATABASE_URL}"
after = "0s"
"#;
/// Is not healthy while the test holds it in the root of a host.
const HEALTHY: &str = "#!/bin/sh\nif test -e \"$POINTSMAN_ROOT/hold\"; then exit 1; fi\ngrep -q ok \"$POINTSMAN_RELEASE_DIR/healthz\"\n";

/// 2.0.0; 2.1.0, whose post-migration closes the way back; 2.2.0; 2.3.0, which is never healthy. Each is built when a test
/// first needs it.
pub async fn pay() -> Result<&'static World> {
    static PAY: OnceCell<Repository> = OnceCell::const_new();
    let world = world().await?;
    PAY.get_or_try_init(|| has_pay(world)).await?;
    Ok(world)
}

async fn has_pay(world: &World) -> Result<Repository> {
    let repository = Repository::create(world.sandbox.dir().join("repositories/pay"))?;
    let version = |tag: &str, recipe: &str, health: &str| {
        repository
            .write("pointsman.toml", recipe)?
            .write("src/version", tag)?
            .write("healthz", health)?
            .tag(tag)
            .map(drop)
    };
    repository.script("bin/healthy", HEALTHY)?;
    repository.write("db/pre/0001_bills.sql", "CREATE TABLE bills (id int, price int);")?;
    let (before, _) = RECIPE
        .split_once("[migrations.post]")
        .context("a recipe with both phases")?;
    version("2.0.0", before, "ok")?;
    repository
        .write("db/post/0002_drop.sql", "ALTER TABLE bills DROP price;")?
        .write("db/post/0002_drop.down.sql", "ALTER TABLE bills ADD price int;")?;
    version("2.1.0", RECIPE, "ok")?;
    version("2.2.0", RECIPE, "ok")?;
    version("2.3.0", &RECIPE.replace("\"60s\"", "\"2s\""), "never")?;
    let postgres = world.sandbox.services().postgres();
    let name = format!("{}_pay", world.sandbox.database());
    postgres.create_database(&name).await?;
    for host in world.sandbox.web_hosts() {
        host.make_root("pay")?;
    }
    world
        .applies(json!({
            "project": [{ "name": "pay", "repository": repository.url() }],
            "target": [{
                "project": "pay", "environment": "production", "hosts": { "role": "web" },
                "root": world.sandbox.target_root("pay"),
                "strategy": { "waves": ["1", "100%"], "on_failure": "rollback" },
                "retention": { "keep": 0, "min_age_hours": 0 },
            }],
            "variable": [{ "scope": { "target": TARGET }, "name": "DATABASE_URL", "value": postgres.url(&name) }],
        }))
        .await?;
    Ok(repository)
}

/// Whether what is switched on the hosts from now on has to wait before it is healthy.
fn holds(world: &World, held: bool) -> Result<()> {
    for host in world.sandbox.web_hosts() {
        let hold = host.root("pay").join("hold");
        if held {
            fs_err::write(hold, "")?;
        } else {
            fs_err::remove_file(hold)?;
        }
    }
    Ok(())
}

/// Waits until a press has become the newest act on something.
pub async fn noted(world: &World, object: &str, act: &str) -> Result<()> {
    until(&format!("{act} is noted"), || async {
        Ok(acted(&world.sandbox, object, act, "done").await.ok())
    })
    .await?;
    Ok(())
}

/// The number of a built release of this tag; it is built where it is not, or was collected.
async fn has(world: &World, tag: &str) -> Result<u32> {
    if let Some(number) = built(world, tag).await? {
        return Ok(number);
    }
    let wish = json!({ "ref": tag });
    let release: Release = world.api.post("projects/pay/releases", wish).await?;
    until("the build is over", || async {
        let path = format!("projects/pay/releases/%23{}", release.number);
        let release: Release = world.api.get(&path).await?;
        ensure!(release.state != ReleaseState::Failed, "{release:?}");
        Ok((release.state == ReleaseState::Built).then_some(release.number))
    })
    .await
}

async fn built(world: &World, label: &str) -> Result<Option<u32>> {
    let page: Page<Release> = world.api.get("projects/pay/releases?limit=50").await?;
    let is = |release: &&Release| release.label.as_str() == label && release.state == ReleaseState::Built;
    Ok(page.items.iter().find(is).map(|release| release.number))
}

async fn starts(world: &World, tag: &str) -> Result<i64> {
    let release = format!("#{}", has(world, tag).await?);
    let wish = json!({ "target": TARGET, "release": release });
    let deployment: Deployment = world.api.post("deployments", wish).await?;
    Ok(deployment.number)
}

/// Makes a release live, and the one before it the way back.
pub async fn live(world: &World, releases: &[&str]) -> Result<()> {
    for release in releases {
        let ended = world.ended(starts(world, release).await?).await?;
        ensure!(ended.state == DeploymentState::Live, "{ended:#?}");
    }
    Ok(())
}

/// The release whose folder a host's link names, by its label.
pub async fn runs(world: &World, host: &str) -> Result<String> {
    let link = world.sandbox.host(host)?.current("pay").context("a link")?;
    let folder = link.file_name().map(|name| name.to_string_lossy().into_owned());
    let page: Page<Release> = world.api.get("projects/pay/releases?limit=50").await?;
    let named = |release: &Release| release.folder.as_ref().map(ToString::to_string);
    let of = page.items.into_iter().find(|release| named(release) == folder);
    Ok(of.context("a release of ours")?.label.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_paused_between_waves_and_cancelled_half_way_with_words_that_outlive_patches() -> Result<()>
{
    let world = pay().await?;
    live(world, &["2.0.0"]).await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    holds(world, true)?;
    let run = starts(world, "2.2.0").await?;
    tab.load(&format!("/d/{run}")).await?;
    // A pause before the first wave would keep that one back, too.
    until("the first wave is switched", || async {
        Ok((runs(world, "web-1").await? == "2.2.0").then_some(()))
    })
    .await?;
    tab.press("Pause after this wave").await?;
    let object = format!("deployment #{run}");
    noted(world, &object, "deployment.pause").await?;
    holds(world, false)?;
    tab.until("it is paused", &stands("paused")).await?;
    asserts(world, run, DeploymentState::Paused, "deployment.pause").await?;
    ensure!(runs(world, "web-1").await? == "2.2.0", "the first wave is over");
    ensure!(runs(world, "web-2").await? == "2.0.0", "the second one waits");

    // Somebody writes why they cancel, and goes to the button; somebody else presses meanwhile.
    tab.press("Cancel…").await?;
    tab.fill("#cancel-why", "the fair is on").await?;
    tab.key("Tab").await?;
    let other = window.tab(&world.sandbox.url()).await?;
    other.load(&format!("/d/{run}")).await?;
    holds(world, true)?;
    other.press("Go on").await?;
    // It switches, then looks whether what it switched is well.
    let goes_on = "!document.querySelector('#head .is').textContent.includes('paused')";
    other.until("it goes on", goes_on).await?;
    acted(&world.sandbox, &object, "deployment.decide", "done").await?;
    tab.to_front().await?;
    tab.until("it is seen to go on", goes_on).await?;
    let kept = tab
        .run("[document.getElementById('cancel-why').value, document.activeElement.textContent]")
        .await?;
    ensure!(
        kept[0] == "the fair is on"
            && kept[1]
                .as_str()
                .is_some_and(|at| at.starts_with("Cancel deployment")),
        "{kept}"
    );
    tab.press("Cancel deployment").await?;
    // What is switched is judged to its end.
    noted(world, &object, "deployment.cancel").await?;
    holds(world, false)?;
    tab.until("it is cancelled", &stands("cancelled")).await?;
    world.ended(run).await?;
    let why = asserts(world, run, DeploymentState::Cancelled, "deployment.cancel").await?;
    ensure!(why["reason"] == "the fair is on", "{why}");
    ensure!(runs(world, "web-1").await? == "2.2.0", "what was switched stays");
    is_as_fresh(&tab, &other).await?;
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_closes_the_way_back_until_it_is_reverted_by_presses() -> Result<()> {
    let world = pay().await?;
    live(world, &["2.0.0", "2.1.0"]).await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    let page = format!("/migrations?target={TARGET}");
    tab.load(&page).await?;
    tab.press("Run 1 post…").await?;
    tab.shows("Afterwards there is no way back").await?;
    tab.press("Run post-migrations").await?;
    ledger(world, "0002_drop", "applied").await?;
    acted(&world.sandbox, TARGET, "migration.request", "done").await?;

    tab.load(&format!("/t/{TARGET}")).await?;
    // The page says beforehand what a press would be told.
    tab.press("Roll back…").await?;
    tab.shows("cannot run after the applied post-migration 0002_drop")
        .await?;
    let wish = json!({ "target": TARGET });
    let refused = world.api.try_post::<serde_json::Value>("rollbacks", wish).await?;
    ensure!(refused.is_err(), "{refused:?}");
    acted(&world.sandbox, TARGET, "rollback.request", "refused").await?;

    tab.load(&page).await?;
    tab.press("Revert…").await?;
    tab.press("Revert 0002_drop").await?;
    ledger(world, "0002_drop", "pending").await?;
    tab.load(&format!("/t/{TARGET}")).await?;
    tab.press("Roll back…").await?;
    tab.press("Roll pay@production back").await?;
    tab.until("it is live", &stands("live")).await?;
    let back = number(&tab).await?;
    let ended = world.ended(back).await?;
    ensure!(ended.release.as_str() == "2.0.0", "{ended:#?}");
    asserts(world, back, DeploymentState::Live, "rollback.request").await?;
    window.close().await
}

/// Waits until a migration stands so in the database and for the operator's command.
async fn ledger(world: &World, name: &str, state: &str) -> Result<()> {
    until(&format!("{name} is {state}"), || async {
        let told = pointsman(&world.sandbox, &["migrations", "ls", TARGET])?;
        let is = told["items"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|item| item["name"] == name && item["state"] == state);
        Ok(is.then_some(()))
    })
    .await?;
    let row = "SELECT count(*) FROM target_migration WHERE name = $1 AND state = $2";
    let found: i64 = sqlx::query_scalar(row)
        .bind(name)
        .bind(state)
        .fetch_one(&mut database(&world.sandbox).await?)
        .await?;
    ensure!(found == 1, "{name} is {state} {found} times");
    Ok(())
}
