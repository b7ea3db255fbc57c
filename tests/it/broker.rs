//! The broker loses things: all of them, or one queue's leader. Work waits and ends as it should, without a hand.

use anyhow::{Result, ensure};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::topology::{Argument, host_queues};
use pointsman_tests::World;
use pointsman_tests::world::until;
use serde_json::{Map, Value, json};

async fn world_with_two_releases() -> Result<World> {
    let world = World::start_alone().await?;
    world.has_three_versions()?;
    world
        .has_target(json!({ "waves": ["100%"], "on_failure": "hold" }))
        .await?;
    world.builds("1.0.0").await?;
    world.builds("1.1.0").await?;
    let deployment = world.deploys("1.0.0").await?;
    ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
    Ok(world)
}

async fn goes_live(world: &World, release: &str) -> Result<()> {
    let deployment = world.deploys(release).await?;
    ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
    world.all_serve(release).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_loses_is_made_again() -> Result<()> {
    let world = world_with_two_releases().await?;
    a_leader_is_lost(&world).await?;
    everything_is_lost(&world).await
}

/// A quorum queue whose broker dies within half a second of its declaration comes back without a leader and confirms
/// nothing. The host's queue is made so here; the relay must notice and make it again.
async fn a_leader_is_lost(world: &World) -> Result<()> {
    let broker = world.sandbox.services().rabbitmq();
    let host: HostId = "web-1".parse()?;
    let [jobs, _] = host_queues(&host);
    let arguments: Map<String, Value> = jobs
        .arguments
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Argument::Text(text) => json!(text),
                Argument::Number(number) => json!(number),
                Argument::Flag(flag) => json!(flag),
            };
            ((*name).to_owned(), value)
        })
        .collect();
    let url = format!("{}/api/queues/pointsman/{}", broker.admin_url(), jobs.name);
    let client = reqwest::Client::new();
    client.delete(&url).send().await?.error_for_status()?;
    let body = json!({ "durable": true, "arguments": arguments });
    client.put(&url).json(&body).send().await?.error_for_status()?;
    let bind = format!(
        "{}/api/bindings/pointsman/e/jobs/q/{}",
        broker.admin_url(),
        jobs.name
    );
    let body = json!({ "routing_key": jobs.name });
    client.post(&bind).json(&body).send().await?.error_for_status()?;
    broker.kill().await?;
    broker.restart().await?;
    // Its agent cannot consume meanwhile, so the deployment may go on without the host; then it converges.
    let deployment = world.deploys("1.1.0").await?;
    ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
    until("web-1 serves 1.1.0", || async {
        Ok((world.serves("web-1").await? == "1.1.0").then_some(()))
    })
    .await?;
    world.all_serve("1.1.0").await
}

async fn everything_is_lost(world: &World) -> Result<()> {
    let broker = world.sandbox.services().rabbitmq();
    broker.kill().await?;
    broker.wipe()?;
    broker.restart().await?;
    goes_live(world, "1.0.0").await
}
