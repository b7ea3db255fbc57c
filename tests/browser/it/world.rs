//! One fleet with a short history for all of these tests, and a person who is signed in.

use anyhow::{Result, ensure};
use pointsman_browser_tests::{Tab, Window};
use pointsman_sandbox::Sandbox;
use pointsman_shared::api::Page;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_tests::World;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::told::{asserts, database};

/// 1.0.0 and 1.1.0 were live one after the other, 1.2.0 failed and is held.
pub async fn world() -> Result<&'static World> {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    let world = WORLD
        .get_or_try_init(|| async {
            let world = World::start_alone().await?;
            world.has_three_versions()?;
            world
                .has_target(json!({ "waves": ["1", "100%"], "on_failure": "hold" }))
                .await?;
            for tag in ["1.0.0", "1.1.0", "1.2.0"] {
                world.builds(tag).await?;
            }
            world.deploys("1.0.0").await?;
            world.deploys("1.1.0").await?;
            anyhow::Ok(world)
        })
        .await?;
    frees(world).await?;
    Ok(world)
}

/// Lifts what a test that failed left locked, so that it fails alone.
async fn frees(world: &World) -> Result<()> {
    let lift = "UPDATE lock SET released_at = now(), released_by = owner WHERE released_at IS NULL";
    sqlx::query(lift)
        .execute(&mut database(&world.sandbox).await?)
        .await?;
    Ok(())
}

/// A deployment that failed and waits for a person.
pub async fn held(world: &World) -> Result<i64> {
    let failing = world.starts_deploy("1.2.0").await?;
    world.reaches(failing.number, DeploymentState::Paused).await?;
    Ok(failing.number)
}

/// Signs in by the administrator's token.
pub async fn signed_in(window: &Window, world: &World) -> Result<Tab> {
    signed_in_at(window, &world.sandbox).await
}

/// The same, at any fleet.
pub async fn signed_in_at(window: &Window, sandbox: &Sandbox) -> Result<Tab> {
    let tab = window.tab(&sandbox.url()).await?;
    tab.load("/sign-in").await?;
    tab.press("Sign in with an API token").await?;
    tab.fill("#token", sandbox.token()).await?;
    tab.press("Sign in with the token").await?;
    tab.until(
        "the page is live",
        "document.getElementById('live')?.textContent === 'live'",
    )
    .await?;
    Ok(tab)
}

/// A person who is signed in where 1.1.0 is live and a rollback goes to 1.0.0.
pub async fn begins() -> Result<(&'static World, Window, Tab)> {
    let world = world().await?;
    settled(world).await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    Ok((world, window, tab))
}

/// 1.1.0 is live, and a rollback goes to 1.0.0, whatever another test left behind.
pub async fn settled(world: &World) -> Result<()> {
    let newest: Page<Deployment> = world
        .api
        .get("deployments?target=shop@production&limit=50")
        .await?;
    let open = newest.items.iter().find(|one| !one.state.is_final());
    if let Some(open) = open {
        let cancel = json!({ "reason": "another test needs the target" });
        let _: Value = world
            .api
            .post(&format!("deployments/{}/cancel", open.number), cancel)
            .await?;
        world.ended(open.number).await?;
    }
    let mut live: Vec<_> = newest
        .items
        .iter()
        .filter(|one| one.state == DeploymentState::Live)
        .map(|one| one.release.as_str())
        .collect();
    live.dedup();
    let is_so = open.is_none() && live.get(..2) == Some(&["1.1.0", "1.0.0"]);
    // What failed and was left as it is stands on hosts beside what is live.
    if !is_so || world.all_serve("1.1.0").await.is_err() {
        world.deploys("1.0.0").await?;
        world.deploys("1.1.0").await?;
    }
    world.all_serve("1.1.0").await
}

/// Chooses a release on the page of a target, by its label.
async fn chooses(tab: &Tab, label: &str) -> Result<()> {
    let chosen = tab
        .run(&format!(
            "(() => {{ const select = document.getElementById('release');
             const option = [...select.options].find(one => one.text.startsWith('{label} '));
             if (option) select.value = option.value; return Boolean(option); }})()"
        ))
        .await?;
    ensure!(chosen == true, "no release {label} can be chosen");
    Ok(())
}

/// Asks for the plan of a release on the page of its target.
pub async fn plans(tab: &Tab, target: &str, label: &str) -> Result<()> {
    tab.load(&format!("/t/{target}")).await?;
    chooses(tab, label).await?;
    tab.press("Plan…").await?;
    tab.shows(&format!("What would change on {target}")).await
}

/// Goes back to 1.0.0 by one press and one confirmation, and waits until it is live.
pub async fn goes_back(world: &World, tab: &Tab) -> Result<()> {
    tab.load("/t/shop@production").await?;
    tab.press("Roll back…").await?;
    tab.press("Roll shop@production back").await?;
    tab.until("it is live", &stands("live")).await?;
    world.all_serve("1.0.0").await?;
    let back = number(tab).await?;
    asserts(world, back, DeploymentState::Live, "rollback.request").await?;
    Ok(())
}

/// The number of the deployment whose page the tab shows.
pub async fn number(tab: &Tab) -> Result<i64> {
    tab.until("the deployment is there", "location.pathname.startsWith('/d/')")
        .await?;
    let path = tab.path().await?;
    Ok(path.trim_start_matches("/d/").parse()?)
}

/// Whether the deployment of the page stands so.
pub fn stands(word: &str) -> String {
    format!("document.querySelector('#head .is')?.textContent.includes('{word}')")
}
