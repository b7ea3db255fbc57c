//! Who belongs to the fleet: a revoked host is cut off at once and says so; another machine under its name joins with a new
//! key and comes to what the others run.

use anyhow::{Result, ensure};
use pointsman_sandbox::Options;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::fleet::{Host, JoinToken};
use pointsman_tests::world::{shared, until};
use pointsman_tests::{Refused, World};
use serde_json::{Value, json};

/// Names of the broker's users.
async fn broker_users(world: &World) -> Result<Vec<String>> {
    let broker = world.sandbox.services().rabbitmq();
    let (_, request) = broker.request(reqwest::Method::GET, "/api/users?columns=name");
    let users: Vec<Value> = request.send().await?.error_for_status()?.json().await?;
    let name = |user: &Value| user["name"].as_str().map(str::to_owned);
    Ok(users.iter().filter_map(name).collect())
}

async fn invites(world: &World, host: &str) -> Result<String> {
    let wish = json!({ "host": host, "labels": { "role": "web" } });
    let token: JoinToken = world.api.post("join-tokens", wish).await?;
    Ok(token.token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_host_is_cut_off_and_another_machine_takes_its_place() -> Result<()> {
    let world = World::start_with(Options {
        hosts: 2,
        ..shared().await?
    })
    .await?;
    world.has_three_versions()?;
    world
        .has_target(json!({ "waves": ["100%"], "on_failure": "hold" }))
        .await?;
    for release in ["1.0.0", "1.1.0"] {
        world.builds(release).await?;
    }
    ensure!(world.deploys("1.0.0").await?.state == DeploymentState::Live);
    let user = format!("{}.web-2", world.sandbox.vhost());
    ensure!(broker_users(&world).await?.contains(&user));
    let host = world.sandbox.host("web-2")?;
    let old_key = fs_err::read(host.state().join("key"))?;

    let Ok(()) = world.api.try_post::<()>("hosts/web-2/revoke", json!({})).await? else {
        anyhow::bail!("web-2 cannot be revoked");
    };
    ensure!(
        !broker_users(&world).await?.contains(&user),
        "its broker user is still there"
    );
    until("its agent says that it is not let in", || async {
        let told = host.log()?.contains("the host may have been revoked");
        ensure!(host.agent().is_running(), "it ended instead");
        Ok(told.then_some(()))
    })
    .await?;
    // Without it the fleet goes on; what is live there stays live.
    let deployment = world.deploys("1.1.0").await?;
    ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
    ensure!(world.serves("web-1").await? == "1.1.0");
    ensure!(world.serves("web-2").await? == "1.0.0");

    let token = invites(&world, "web-2").await?;
    host.kill_agent().await?;
    host.reimage()?;
    host.make_root("shop")?;
    host.join(&token).await?;
    ensure!(fs_err::read(host.state().join("key"))? != old_key);
    host.start_agent().await?;
    world.sandbox.until_seen(&["web-2"]).await?;
    until("web-2 serves 1.1.0 by itself", || async {
        Ok((world.serves("web-2").await? == "1.1.0").then_some(()))
    })
    .await?;
    let again: Host = world.api.get("hosts/web-2").await?;
    ensure!(again.revoked_at.is_none(), "{again:#?}");
    let twice = world
        .api
        .try_post::<Value>("join-tokens", json!({ "host": "web-2" }))
        .await?;
    ensure!(matches!(twice, Err(Refused(problem)) if problem.code == "host_has_joined"));
    Ok(())
}
