//! What a busy app server sees while releases switch under it: always one whole release.

use anyhow::Result;
use pointsman_sandbox::Options;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::world::shared;
use pointsman_tests::{Reader, World};
use serde_json::json;

/// `POINTSMAN_TEST_SWITCHES=200` is the long form of this test.
fn switches() -> usize {
    #[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
    std::env::var("POINTSMAN_TEST_SWITCHES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_fails_and_no_tree_is_mixed_while_releases_switch() -> Result<()> {
    let world = World::start_with(Options {
        hosts: 1,
        ..shared().await?
    })
    .await?;
    world.has_three_versions()?.has_target(json!({})).await?;
    world.builds("1.0.0").await?;
    world.builds("1.1.0").await?;
    assert_eq!(world.deploys("1.0.0").await?.state, DeploymentState::Live);

    let reader = Reader::start(
        world.sandbox.root("web-1", "shop")?,
        "dist/version",
        "dist/index.html",
    );
    for turn in 0..switches() {
        let version = if turn % 2 == 0 { "1.1.0" } else { "1.0.0" };
        let deployment = world.deploys(version).await?;
        assert_eq!(deployment.state, DeploymentState::Live, "{deployment:#?}");
    }
    let seen = reader.saw();
    assert!(seen.reads > 100, "{seen:?}");
    assert_eq!((seen.failed, seen.mixed), (0, 0), "{seen:?}");
    Ok(())
}
