//! TLS everywhere: PostgreSQL, the broker, its management API and the coordinator's own API show certificates of a private
//! CA, and everybody checks them.

use std::process::{Command, Output};

use anyhow::{Result, ensure};
use pointsman_sandbox::Options;
use pointsman_sandbox::programs::Binaries;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::World;
use serde_json::json;

/// The operator's command, with the environment that `DIR/env` holds, apart from what is left out.
fn pointsman(world: &World, arguments: &[&str], without: &str) -> Result<Output> {
    let program = Binaries::find(world.sandbox.place())?.program("pointsman")?;
    let env = world.sandbox.env();
    let env = env.into_iter().filter(|(name, _)| name != without);
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(env)
        .env("XDG_CONFIG_HOME", world.sandbox.dir())
        .output()?;
    Ok(output)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_travels_over_encrypted_lines_alone() -> Result<()> {
    let world = World::start_with(Options {
        hosts: 2,
        tls: true,
        ..Options::for_testing()
    })
    .await?;
    let services = world.sandbox.services();
    ensure!(world.sandbox.url().starts_with("https://"));
    ensure!(services.rabbitmq().admin_url().starts_with("https://"));
    ensure!(services.rabbitmq().coordinator_url("v").starts_with("amqps://"));
    ensure!(services.postgres().url("d").contains("sslmode=verify-full"));

    world.has_three_versions()?.has_target(json!({})).await?;
    world.builds("1.0.0").await?;
    let deployment = world.deploys("1.0.0").await?;
    ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
    world.all_serve("1.0.0").await?;

    let told = pointsman(&world, &["status", "-o", "plain"], "")?;
    let said = String::from_utf8_lossy(&told.stdout);
    ensure!(told.status.success() && said.contains("1.0.0"), "{told:?}");
    let told = pointsman(&world, &["status"], "POINTSMAN_CA_FILE")?;
    let said = String::from_utf8_lossy(&told.stderr);
    ensure!(
        !told.status.success() && said.contains("--ca-file or POINTSMAN_CA_FILE"),
        "{said}"
    );
    Ok(())
}
