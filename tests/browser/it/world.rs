//! One fleet with a short history for all of these tests, and a person who is signed in.

use anyhow::Result;
use pointsman_browser_tests::{Tab, Window};
use pointsman_sandbox::Sandbox;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::World;
use serde_json::json;
use tokio::sync::OnceCell;

/// 1.0.0 and 1.1.0 were live one after the other, 1.2.0 failed and is held.
pub async fn world() -> Result<&'static World> {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD
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
            Ok(world)
        })
        .await
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
