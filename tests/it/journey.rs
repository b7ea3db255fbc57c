//! The main job: from a git tag to every host, and back.

use anyhow::Result;
use pointsman_sandbox::Options;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::World;
use pointsman_tests::world::shared;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_release_travels_from_git_to_every_host_and_back() -> Result<()> {
    let world = World::start_with(Options {
        coordinators: 2,
        ..shared().await?
    })
    .await?;
    world
        .has_three_versions()?
        .has_target(json!({ "waves": ["1", "100%"], "on_failure": "rollback" }))
        .await?;

    let first = world.builds("1.0.0").await?;
    assert_eq!(first.label.as_str(), "1.0.0");
    let deployment = world.deploys("1.0.0").await?;
    assert_eq!(deployment.state, DeploymentState::Live, "{deployment:#?}");
    world.all_serve("1.0.0").await?;
    for host in world.sandbox.web_hosts() {
        assert_eq!(
            world.current(host.id())?,
            first.folder.as_ref().map(ToString::to_string)
        );
    }

    world.builds("1.1.0").await?;
    let deployment = world.deploys("1.1.0").await?;
    assert_eq!(deployment.state, DeploymentState::Live, "{deployment:#?}");
    assert_eq!(
        deployment
            .from
            .as_ref()
            .map(pointsman_shared::name::ReleaseLabel::as_str),
        Some("1.0.0")
    );
    assert_eq!(deployment.hosts.iter().map(|host| host.wave).max(), Some(2));
    world.all_serve("1.1.0").await?;

    world.builds("1.2.0").await?;
    let broken = world.deploys("1.2.0").await?;
    assert_eq!(broken.state, DeploymentState::RolledBack, "{broken:#?}");
    world.all_serve("1.1.0").await?;
    let untouched = broken.hosts.iter().filter(|host| host.wave == 2);
    assert!(untouched.clone().count() == 2, "{broken:#?}");

    let back = world.rolls_back().await?;
    assert_eq!(back.state, DeploymentState::Live, "{back:#?}");
    assert_eq!(back.release.as_str(), "1.0.0");
    world.all_serve("1.0.0").await?;

    let actions: Vec<String> = world.audit().await?.into_iter().map(|act| act.action).collect();
    for action in ["deployment.request", "release.request"] {
        assert!(
            actions.iter().any(|done| done == action),
            "{action} is not in {actions:?}"
        );
    }
    Ok(())
}
